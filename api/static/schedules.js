// What the clock enqueues: when it ran last, when next; pause, go on, run now.

import { badge, h, heading, say, table } from "./dom.js";
import { age, ahead, moment } from "./format.js";
import { get, post } from "./http.js";
import { every } from "./timers.js";

const EVERY_MS = 10000;

export async function render(page, { may, signal }) {
  const place = h("section.panel", { "aria-label": "Schedules" });
  page.replaceChildren(heading("Schedule"), place);

  async function refresh() {
    const found = await get("/schedules");
    if (signal.aborted) return;
    // A button that is being used keeps its place.
    const held = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.replaceChildren(table("Schedules", heads(may), found.map(rowOf),
      "Nothing is scheduled. A worker declares the schedules of its background jobs when it starts."));
    if (held) document.getElementById(held)?.focus();
  }

  async function act(schedule, what) {
    try {
      const done = await post(`/schedules/${encodeURIComponent(schedule.name)}/${what}`);
      say(what === "run" ? "Queued now." : `${schedule.name} ${done.paused ? "is paused" : "goes on"}.`);
    } catch (error) {
      say(error.message, "bad");
    }
    await refresh();
  }

  const rowOf = (schedule) => [
    h("span", {}, h("strong", {}, schedule.name),
      schedule.name === schedule.kind ? null : h("span.sub", {}, schedule.kind)),
    h("span", {}, h("code", {}, schedule.cron), h("span.sub", {}, schedule.timezone)),
    schedule.paused ? badge("paused")
      : h("time", { datetime: schedule.next_at, title: moment(schedule.next_at) }, ahead(schedule.next_at)),
    schedule.last_job
      ? h("a", { href: `#/jobs/${encodeURIComponent(schedule.last_job)}`, title: moment(schedule.last_at) }, age(schedule.last_at))
      : "never",
    schedule.queue,
    ...(may("operate") ? [h("span.acts", {},
      button(schedule, schedule.paused ? "resume" : "pause", schedule.paused ? "Resume" : "Pause"),
      button(schedule, "run", "Run now"))] : []),
  ];

  const button = (schedule, what, label) => h("button.button.small", {
    type: "button", id: `${what === "run" ? "run" : "hold"}-${schedule.name}`,
    "aria-label": `${label}: ${schedule.name}`, onclick: () => act(schedule, what),
  }, label);

  await refresh();
  every(EVERY_MS, refresh, signal);
}

const heads = (may) => ["Name", "When", "Next", "Last", "Queue", ...(may("operate") ? ["Do"] : [])];
