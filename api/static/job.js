// One job: what is known of it, its live progress, its video, and what may be done with it.

import { badge, h, heading, progressBar, say } from "./dom.js";
import { age, between, clock, count, duration, moment, stageName, STAGE_NAMES, titleOf } from "./format.js";
import { get, post } from "./http.js";
import { follow } from "./live.js";
import { settled } from "./timers.js";
import { filesPanel, reportPanel } from "./files.js";
import { timeLine } from "./timeline.js";
import { videoPanel } from "./video.js";

const FINAL = ["completed", "failed", "cancelled"];
const isVideo = (job) => job.kind === "video";

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
  let played = "";
  const again = settled(300, () => load(), signal);

  async function load() {
    job = await get(path);
    if (signal.aborted) return;
    const name = titleOf(job);
    head.replaceChildren(heading(name, badge(job.status), actions(job, may, act)));
    bar = progressBar(job.progress, `Progress of ${name}`);
    top.replaceChildren(facts(job), FINAL.includes(job.status) ? "" : h("div.now", {}, bar, h("p.muted.doing", { id: "doing" }, doing(job))),
      job.error ? h("p.wrong", { role: "note" }, h("strong", {}, "Error: "), job.error) : "");
    stages.replaceChildren(...(isVideo(job)
      ? [h("h2", {}, "Stages"), timeLine(job)] : [h("h2", {}, "Items"), itemsOf(job)]));
    // The same film stays where it is: somebody may be watching it.
    const film = job.files.map((file) => file.sha256).join();
    if (film !== played) {
      played = film;
      const video = videoPanel(job);
      side.replaceChildren(video || "");
      page.querySelector(".job").classList.toggle("has-video", Boolean(video));
    }
    rest.replaceChildren(...[await reportPanel(job), filesPanel(job), logPanel(log), payloadPanel(job)].filter(Boolean));
  }

  function watch() {
    log.replaceChildren();
    follow(`${path}/events`, signal, (event) => {
      log.append(logLine(event));
      log.scrollTop = log.scrollHeight;
      if (!FINAL.includes(job.status)) {
        bar.move(event.progress);
        const line = document.getElementById("doing");
        if (line) line.textContent = [stageName(event.stage), itemsText(event), event.note].filter(Boolean).join(": ");
        // A stage has begun or ended, or the state is another: the rest is asked for anew.
        if (event.stage !== job.stage || (event.status || "processing") !== job.status) {
          job.stage = event.stage;
          again();
        }
      }
    }, () => { if (!FINAL.includes(job.status)) again(); });
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
}

function doing(job) {
  if (job.status === "scheduled") return job.due_at ? `Waits until ${moment(job.due_at)}` : "Waits for its time";
  return job.status === "pending" ? "Waits for a worker" : stageName(job.stage);
}

function actions(job, may, act) {
  if (!may("submit")) return null;
  if (!FINAL.includes(job.status)) {
    return h("button.button.danger", { type: "button", id: "cancel", onclick: () => act("cancel") }, "Cancel");
  }
  const from = h("select", { "aria-label": "From where" },
    isVideo(job) || job.status !== "completed"
      ? h("option", { value: "" }, isVideo(job) ? "keep finished stages" : "go on where it stopped") : null,
    isVideo(job) ? STAGE_NAMES.map((stage) => h("option", { value: stage }, `anew from ${stageName(stage).toLowerCase()}`))
      : h("option", { value: "perform" }, "anew from the beginning"));
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
    job.style ? ["Style", job.style] : null,
    job.kind === "video" ? null : ["Kind", job.kind],
    ["Queue", job.queue],
    job.batch_id ? ["Batch", h("span.mono", {}, job.batch_id)] : null,
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
  return h("li", {}, h("span.muted.at", {}, event.at ? clock(event.at) : ""),
    h("span.at.num", {}, `${event.progress} %`), h("span", {}, text.join(" · ")));
}

const logPanel = (log) => {
  log.setAttribute("tabindex", "0");
  log.setAttribute("aria-label", "Events, oldest first");
  return h("section.panel", {}, h("h2", {}, "Events"), log);
};

// What a background job told of its items, and what it returned.
function itemsOf(job) {
  const told = itemsText(job);
  const result = job.result && "value" in job.result && job.result.value !== null
    ? h("pre", { tabindex: "0", "aria-label": "Result" }, JSON.stringify(job.result.value, null, 2)) : null;
  return h("div", {}, h("p", { id: "items", class: told ? null : "muted" }, told || "It tells of no items."), result);
}

function itemsText(told) {
  if (told.processed_items === null || told.processed_items === undefined) return "";
  const total = told.total_items === null || told.total_items === undefined ? "" : ` of ${count(told.total_items)}`;
  const failed = told.failed_items ? `, ${count(told.failed_items)} failed` : "";
  return `${count(told.processed_items)}${total} items${failed}`;
}

const payloadPanel = (job) => h("details.panel", {}, h("summary", {}, "Payload"),
  h("pre", { tabindex: "0", "aria-label": "Payload" }, JSON.stringify(job.payload, null, 2)));
