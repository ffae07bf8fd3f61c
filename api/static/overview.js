// The last 24 hours at a glance; asked for again every few seconds and after events.

import { hourChart } from "./chart.js";
import { badge, figure, h, heading, progressBar, table } from "./dom.js";
import { bytes, count, duration, money, stageName, titleOf } from "./format.js";
import { get } from "./http.js";
import { follow } from "./live.js";
import { every, settled } from "./timers.js";

const EVERY_MS = 5000;
const STATES = ["processing", "pending", "scheduled", "completed", "failed", "cancelled"];

export async function render(page, { signal }) {
  const bars = new Map();
  let asking = false;
  const refresh = async () => {
    if (asking) return;
    asking = true;
    try {
      const found = await Promise.all([
        get("/overview"), get("/queues"), get("/workers"), get("/jobs", { status: "processing", limit: 8 }),
      ]);
      if (!signal.aborted) fill(page, bars, ...found);
    } finally {
      asking = false;
    }
  };
  await refresh();
  // A change of state moves the figures; a burst of them asks once.
  const soon = settled(400, refresh, signal);
  follow("/events", signal, (event) => {
    bars.get(event.job_id)?.(event);
    if (event.status || !bars.has(event.job_id)) soon();
  });
  every(EVERY_MS, refresh, signal);
}

function fill(page, bars, seen, queues, workers, running) {
  const waits = queues.queues.reduce((sum, queue) => sum + queue.waiting, 0);
  // What has the focus or was folded open stays so across a refresh.
  const open = page.querySelector("details")?.open || false;
  const focused = page.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  page.replaceChildren(
    heading("Overview"),
    h("section", { "aria-label": "Jobs by state" }, h("ul.states", {}, STATES.map((state) =>
      h("li", {}, h(`a.state.is-${seen.states[state] ? state : "none"}`, { href: `#/jobs?status=${state}`, "data-key": state },
        h("strong", {}, count(seen.states[state])), h("span", {}, state)))))),
    h("div.columns", {},
      h("section.panel.wide", {}, h("div.panel-head", {}, h("h2", {}, "Last 24 hours"),
        h("p.legend", {}, h("span.key.is-completed", {}, `${count(seen.completed)} completed`),
          h("span.key.is-failed", {}, `${count(seen.failed)} failed`))),
        hourChart(seen.buckets, open)),
      h("section.panel", {}, h("h2", {}, "Pace and cost"), h("dl.figures", {},
        figure("Median", duration(seen.seconds_median), "to make a video"),
        figure("95 of 100", duration(seen.seconds_p95), "were done within"),
        figure("Wait", duration(seen.wait_median_s), "median before the start"),
        figure("Spent today", money(seen.cost_today_microusd),
          seen.in_doubt_microusd ? `${money(seen.in_doubt_microusd)} in doubt` : "nothing in doubt"))),
      h("section.panel.wide", {}, h("h2", {}, "Being made"), runningList(bars, running.jobs)),
      h("section.panel", {}, h("h2", {}, "Queues"), h("dl.lines", {},
        queues.queues.map((queue) => h("div", {}, h("dt", {}, queue.name, queue.paused ? badge("paused") : null),
          h("dd", {}, count(queue.waiting)))),
        h("div", {}, h("dt", {}, "for later"), h("dd", {}, count(queues.scheduled))),
        h("div", {}, h("dt", {}, "longest wait"), h("dd", {}, waits ? duration(queues.oldest_waiting_s) : "–")))),
      h("section.panel.full", {}, h("h2", {}, "Workers"), workerTable(workers))));
  if (focused) page.querySelector(`[data-key="${focused}"]`)?.focus();
}

function runningList(bars, jobs) {
  bars.clear();
  if (!jobs.length) return h("p.empty", {}, "Nothing is being made right now.");
  return h("ul.running", {}, jobs.map((job) => {
    const bar = progressBar(job.progress, `Progress of ${titleOf(job)}`);
    const stage = h("span.muted", {}, stageName(job.stage));
    bars.set(job.job_id, (event) => {
      bar.move(event.progress);
      if (event.stage) stage.textContent = stageName(event.stage);
    });
    return h("li", {}, h("a", { href: `#/jobs/${encodeURIComponent(job.job_id)}`, "data-key": job.job_id, dir: "auto" },
      titleOf(job)), stage, bar);
  }));
}

// Its name is not known here; an id may be long, and is told whole by its page.
export const jobOf = (worker) => (worker.current_job
  ? h("span", {}, h("a.mono.cut-off", {
    href: `#/jobs/${encodeURIComponent(worker.current_job)}`, title: worker.current_job,
  }, worker.current_job), worker.stage ? h("span.sub", {}, stageName(worker.stage)) : null) : "–");

export function workerTable(workers) {
  return table("Workers",
    ["Worker", "State", "Job", { label: "CPU" }, { label: "Memory" }, { label: "Jobs done" }],
    workers.map((worker) => [
      h("strong", {}, worker.worker_id), badge(worker.state),
      jobOf(worker),
      `${Math.round(worker.cpu_percent)} %`, bytes(worker.rss_mb * 1e6), count(worker.jobs_done),
    ]), "No worker is running. Start one with ./run_worker.sh worker-1.");
}
