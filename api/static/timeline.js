// The stages of a job on one time line: when, how long, by whom, what it cost.

import { h } from "./dom.js";
import { between, duration, money, stageName, STAGE_NAMES } from "./format.js";

export function timeLine(job) {
  const newest = new Map();
  for (const line of job.stages) newest.set(line.stage, line);
  const lines = [...newest.values()];
  if (!lines.length) return h("p.empty", {}, "No stage has begun.");
  const now = new Date().toISOString();
  const start = Math.min(...lines.map((line) => Date.parse(line.started_at)));
  const end = Math.max(...lines.map((line) => Date.parse(line.finished_at || job.finished_at || now)));
  const span = Math.max(1, end - start);
  const costs = costsOf(job.calls);
  return h("ol.timeline", {}, STAGE_NAMES.map((stage) => {
    const line = newest.get(stage);
    if (!line) return h("li.is-open", {}, h("strong", {}, stageName(stage)), h("span.muted", {}, "not begun"));
    const until = line.finished_at || job.finished_at || now;
    const mark = h("span.span");
    mark.style.left = `${((Date.parse(line.started_at) - start) / span) * 100}%`;
    mark.style.width = `${Math.max(0.6, (between(line.started_at, until) * 1e5) / span)}%`;
    const ended = Boolean(line.finished_at);
    const failed = !ended && job.status === "failed";
    return h(`li.${failed ? "is-failed" : ended ? "is-done" : "is-now"}`, {},
      h("strong", {}, stageName(stage)),
      h("span.muted.by", {}, line.provider),
      h("span.num.took", {}, line.reused ? "reused" : duration(Math.max(0, between(line.started_at, until)))),
      h("span.track", { "aria-hidden": "true" }, mark),
      h("span.notes.muted", {}, notes(line, costs.get(stage), failed)));
  }));
}

const notes = (line, cost, failed) => [
  failed ? "did not finish" : null,
  line.failures ? `${line.failures} ${line.failures === 1 ? "retry" : "retries"}` : null,
  line.generation ? `replay ${line.generation}` : null,
  cost ? `${money(cost.spent)}${cost.doubt ? `, ${money(cost.doubt)} in doubt` : ""}` : null,
].filter(Boolean).join(" · ");

// Of a call whose end is not known the estimate counts, as in the caps.
function costsOf(calls) {
  const sums = new Map();
  for (const call of calls) {
    const sum = sums.get(call.stage) || { spent: 0, doubt: 0 };
    if (call.state === "doubtful") sum.doubt += call.cost_microusd ?? call.estimate_microusd;
    else sum.spent += call.cost_microusd ?? 0;
    sums.set(call.stage, sum);
  }
  return sums;
}
