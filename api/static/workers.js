// The living workers, as each describes itself with its heartbeat.

import { badge, h, heading, say, table } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { get, post } from "./http.js";
import { jobOf } from "./overview.js";
import { every } from "./timers.js";

const EVERY_MS = 3000;

export async function render(page, { may, signal }) {
  const act = async (path, done) => {
    try {
      await post(path);
      say(done);
    } catch (error) {
      say(error.message, "bad");
    }
    await refresh();
  };
  const refresh = async () => {
    const [workers, found] = await Promise.all([get("/workers"), get("/queues")]);
    if (!signal.aborted) fill(page, workers, found.queues, may("operate") ? act : null);
  };
  await refresh();
  every(EVERY_MS, refresh, signal);
}

function fill(page, workers, queues, act) {
  const held = document.activeElement;
  const kept = page.contains(held) ? held.id || "" : null;
  const scrolled = kept === "" && held.closest(".scroll")?.getAttribute("aria-label");
  const head = page.querySelector("header") || heading("Workers");
  page.replaceChildren(head,
    h("section.panel", { "aria-label": "Workers" }, workersTable(workers, act)),
    h("section.panel.apart", { "aria-label": "Queues" }, h("h2", {}, "Queues"), queuesTable(queues, act)));
  if (kept) document.getElementById(kept)?.focus();
  if (scrolled) page.querySelector(`.scroll[aria-label="${scrolled}"]`)?.focus();
}

const workersTable = (workers, act) => table("Workers",
  ["Worker", "State", "Job", { label: "CPU" }, { label: "Memory" }, { label: "Last beat" }, { label: "Jobs done" }, "Queues", ...(act ? ["Do"] : [])],
  workers.map((worker) => [
    h("span", {}, h("strong", {}, worker.worker_id), h("span.sub", {}, `${worker.host} ${worker.pid || ""}`)),
    badge(worker.state),
    h("span", {}, jobOf(worker), worker.running > 1 ? h("span.sub", {}, `and ${count(worker.running - 1)} more`) : null),
    `${Math.round(worker.cpu_percent)} %`,
    bytes(worker.rss_mb * 1e6),
    `${duration(worker.beat_age_s)} ago`,
    count(worker.jobs_done),
    worker.queues.join(", ") || "–",
    ...(act ? [h("span.acts", {}, ...orders(worker, act))] : []),
  ]), "No worker is running. Start one with ./run_worker.sh worker-1.");

function orders(worker, act) {
  const one = (order, label, done) => h("button.button.small", {
    type: "button", id: `${order === "stop" ? "stop" : "hold"}-${worker.instance}`,
    "aria-label": `${label}: ${worker.worker_id}`,
    onclick: () => act(`/workers/${worker.instance}/${order}`, `${worker.worker_id} ${done}.`),
  }, label);
  return [
    worker.state === "quiet" ? one("work", "Work", "claims jobs again") : one("quiet", "Quiet", "claims nothing more"),
    one("stop", "Stop", "hands its job back and stops"),
  ];
}

const queuesTable = (queues, act) => table("Queues",
  ["Queue", { label: "Waiting" }, "State", ...(act ? ["Do"] : [])],
  queues.map((queue) => [
    h("span", {}, h("strong", {}, queue.name), h("span.sub.mono", {}, queue.list_key)),
    count(queue.waiting),
    queue.paused ? badge("paused") : "open",
    ...(act ? [h("button.button.small", {
      type: "button", id: `queue-${queue.name}`, "aria-label": `${queue.paused ? "Resume" : "Pause"}: ${queue.name}`,
      onclick: () => act(`/queues/${queue.name}/${queue.paused ? "resume" : "pause"}`,
        `${queue.name} ${queue.paused ? "goes on" : "is paused"}.`),
    }, queue.paused ? "Resume" : "Pause")] : []),
  ]), "No queue has been used yet.", true);
