// What our pages draw with, of Apache ECharts: see bin/assets. A chart of another kind needs a line here.
export { getInstanceByDom, init, version } from "echarts/core";
import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { use } from "echarts/core";
import { LegacyGridContainLabel } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

use([
  BarChart, CustomChart, LineChart, ScatterChart,
  GridComponent, LegendComponent, MarkLineComponent, TooltipComponent,
  LegacyGridContainLabel, // grids that make room for their labels
  SVGRenderer,
]);
