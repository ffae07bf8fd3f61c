// The living workers, as each describes itself with its heartbeat.

import { badge, h, heading, table } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { get } from "./http.js";

const EVERY_MS = 3000;

export async function render(page, { signal }) {
  const refresh = async () => {
    const workers = await get("/workers");
    if (!signal.aborted) fill(page, workers);
  };
  await refresh();
  const timer = setInterval(() => refresh().catch(() => null), EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function fill(page, workers) {
  const kept = page.querySelector(".scroll")?.contains(document.activeElement);
  const shown = table("Workers",
    ["Worker", "State", "Job", { label: "CPU" }, { label: "Memory" }, { label: "Last beat" }, { label: "Jobs done" }, "Queues"],
    workers.map((worker) => [
      h("span", {}, h("strong", {}, worker.worker_id), h("span.sub", {}, `${worker.host} ${worker.pid || ""}`)),
      badge(worker.state),
      worker.current_job
        ? h("a.mono", { href: `#/jobs/${encodeURIComponent(worker.current_job)}` }, worker.current_job) : "–",
      `${Math.round(worker.cpu_percent)} %`,
      bytes(worker.rss_mb * 1e6),
      `${duration(worker.beat_age_s)} ago`,
      count(worker.jobs_done),
      worker.queues.join(", ") || "–",
    ]), "No worker is running. Start one with ./run_worker.sh worker-1.");
  const head = page.querySelector("header") || heading("Workers");
  page.replaceChildren(head, h("section.panel", { "aria-label": "Workers" }, shown));
  if (kept) page.querySelector(".scroll")?.focus();
}
