// In place of the shell's 69 kB of Chart.js, which it loads on every page and draws nothing with on ours: no element
// has the class "chart". Our charts are plot.js, on the pages that have some.
