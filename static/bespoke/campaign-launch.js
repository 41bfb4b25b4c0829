// Checked, approved, launched now or later.
// A part of the campaign editor: methods of its state (`this`), made from what the editor gives.
(() => {
  "use strict";

  window.campaignLaunch = ({ ask, fill }) => ({
    async check() {
      if (!this.urls.checks) return;
      const { checks, approval } = await ask(this.urls.checks);
      Object.assign(this, { checks, approval });
    },
    async approve(action) {
      await this.work(async () => {
        await ask(this.urls[action], { note: this.said, comment: this.said });
        this.said = "";
        await this.check();
      });
    },
    async launch() {
      if ((this.dirty || !this.c.id) && !(await this.save())) return;
      if (this.hasErrors) return;
      const question = this.size === null
        ? this.texts.launchQuestionUnknown
        : fill(this.c.test_share < 1 ? this.texts.launchTestQuestion : this.texts.launchQuestion, { n: this.number(Math.round((this.size - this.controls) * this.c.test_share)) });
      if (!window.confirm(question)) return;
      await this.work(async () => { window.location.href = (await ask(this.urls.launch, {})).url; });
    },
    async schedule() {
      if (this.canSave) this.c.timing.zone = this.zone;
      if ((this.dirty || !this.c.id) && !(await this.save())) return;
      await this.work(async () => {
        const data = await ask(this.urls.schedule, { at: this.at_local, time_zone: this.zone });
        Object.assign(this.c, { status: data.campaign.status, scheduled_at: data.campaign.scheduled_at });
        this.c.timing.starts = data.campaign.timing.starts;
        this.saved = this.snapshot();
      });
    },
    async unschedule() {
      await this.work(async () => {
        const data = await ask(this.urls.unschedule, {});
        Object.assign(this.c, { status: data.campaign.status, scheduled_at: "" });
      });
    },
  });
})();
