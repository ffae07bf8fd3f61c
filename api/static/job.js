// One job: what is known of it, its live progress, its video, and what may be done with it.

import { badge, h, heading, progressBar, say } from "./dom.js";
import { age, between, clock, duration, moment, stageName, STAGE_NAMES } from "./format.js";
import { get, post } from "./http.js";
import { follow } from "./live.js";
import { filesPanel, reportPanel } from "./files.js";
import { timeLine } from "./timeline.js";
import { videoPanel } from "./video.js";

const FINAL = ["completed", "failed", "cancelled"];

export async function render(page, { id, may, signal }) {
  const path = `/jobs/${encodeURIComponent(id)}`;
  const log = h("ol.log");
  const stages = h("section.panel", { "aria-label": "Stages" });
  const top = h("div.job-top");
  const side = h("div.job-side");
  const rest = h("div.job-rest");
  const head = h("div");
  page.replaceChildren(head, h("div.job", {}, side, h("div.job-main", {}, top, stages, rest)));

  let job;
  let bar;
  let soon = 0;
  const again = () => {
    clearTimeout(soon);
    soon = setTimeout(() => load().catch(() => null), 300);
  };

  async function load() {
    job = await get(path);
    if (signal.aborted) return;
    const name = job.product_name || job.job_id;
    head.replaceChildren(heading(name, badge(job.status), actions(job, may, act)));
    bar = progressBar(job.progress, `Progress of ${name}`);
    top.replaceChildren(facts(job), FINAL.includes(job.status) ? "" : h("div.now", {}, bar, h("p.muted.doing", { id: "doing" }, stageName(job.stage))),
      job.error ? h("p.wrong", { role: "note" }, h("strong", {}, "Error: "), job.error) : "");
    stages.replaceChildren(h("h2", {}, "Stages"), timeLine(job));
    const video = videoPanel(job);
    side.replaceChildren(video || "");
    page.querySelector(".job").classList.toggle("has-video", Boolean(video));
    rest.replaceChildren(...[await reportPanel(job), filesPanel(job), logPanel(log), payloadPanel(job)].filter(Boolean));
  }

  function watch() {
    log.replaceChildren();
    follow(`${path}/events`, (event) => {
      log.append(logLine(event));
      log.scrollTop = log.scrollHeight;
      if (!FINAL.includes(job.status)) {
        bar.move(event.progress);
        const doing = document.getElementById("doing");
        if (doing) doing.textContent = [stageName(event.stage), event.note].filter(Boolean).join(": ");
        // A stage has begun or ended, or the state is another: the rest is asked for anew.
        if (event.stage !== job.stage || (event.status || "processing") !== job.status) {
          job.stage = event.stage;
          again();
        }
      }
    }, again);
  }

  async function act(what, body) {
    try {
      const done = await post(`${path}/${what}`, body);
      say(what === "cancel" ? "Cancelling." : `Queued again: ${done.status}.`);
    } catch (error) {
      say(error.message, "bad");
    }
    await load();
    if (!FINAL.includes(job.status)) watch();
    else again();
  }

  await load();
  watch();
  signal.addEventListener("abort", () => clearTimeout(soon));
}

function actions(job, may, act) {
  if (!may("submit")) return null;
  if (!FINAL.includes(job.status)) {
    return h("button.button.danger", { type: "button", id: "cancel", onclick: () => act("cancel") }, "Cancel");
  }
  const from = h("select", { "aria-label": "From the stage" },
    h("option", { value: "" }, "keep finished stages"),
    STAGE_NAMES.map((stage) => h("option", { value: stage }, `anew from ${stageName(stage).toLowerCase()}`)));
  return h("div.retry", {}, from, h("button.button.primary", {
    type: "button", id: "retry", onclick: () => act("retry", { from_stage: from.value || null }),
  }, "Run again"));
}

function facts(job) {
  const lines = [
    ["Id", h("span.mono", {}, job.job_id)],
    ["Created", h("time", { datetime: job.created_at, title: moment(job.created_at) }, age(job.created_at))],
    ["Waited", job.started_at ? duration(Math.max(0, between(job.created_at, job.started_at))) : "–"],
    ["Took", job.finished_at && job.started_at ? duration(between(job.started_at, job.finished_at)) : "–"],
    ["Style", job.style || "–"],
    ["Queue", job.queue],
    ["Tenant", job.tenant],
    ["Worker", job.worker_id || "–"],
    job.due_at && job.status === "scheduled" ? ["Due", moment(job.due_at)] : null,
    job.failures + job.crashes + job.interruptions + job.generation
      ? ["Runs", `${job.generation} replays, ${job.failures} failures, ${job.crashes} crashes, ${job.interruptions} hand-backs`] : null,
  ].filter(Boolean);
  return h("dl.facts", {}, lines.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function logLine(event) {
  const text = [event.status, stageName(event.stage), event.note, event.error].filter((part) => part && part !== "–");
  return h("li", {}, h("span.muted.at", {}, event.ts ? clock(event.ts * 1000) : ""),
    h("span.at.num", {}, `${event.progress} %`), h("span", {}, text.join(" · ")));
}

const logPanel = (log) => {
  log.setAttribute("tabindex", "0");
  log.setAttribute("aria-label", "Events, oldest first");
  return h("section.panel", {}, h("h2", {}, "Events"), log);
};

const payloadPanel = (job) => h("details.panel", {}, h("summary", {}, "Payload"),
  h("pre", { tabindex: "0", "aria-label": "Payload" }, JSON.stringify(job.payload, null, 2)));
