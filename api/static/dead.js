// Dead letters: failed jobs, chosen and run again together.

import { h, heading, say } from "./dom.js";
import { age, count, stageName, titleOf } from "./format.js";
import { get, post } from "./http.js";

const PAGE = 50;

export async function render(page, { may }) {
  const chosen = new Set();
  const body = h("tbody");
  const total = h("p.muted", { role: "status" });
  const more = h("button.button", { type: "button", onclick: () => load(after) }, "More");
  const all = h("input", {
    type: "checkbox", id: "all", "aria-label": "Choose all that are shown",
    onchange: () => boxes().forEach((box) => { box.checked = all.checked; choose(box); }),
  });
  const replay = h("button.button.primary", { type: "button", onclick: run }, "Replay");
  const boxes = () => [...body.querySelectorAll("input")];
  let after = null;

  function choose(box) {
    if (box.checked) chosen.add(box.value);
    else chosen.delete(box.value);
    replay.disabled = !chosen.size;
    replay.textContent = chosen.size ? `Replay ${count(chosen.size)}` : "Replay";
    all.checked = chosen.size > 0 && chosen.size === boxes().length;
  }

  async function load(from) {
    const found = await get("/jobs", { status: "failed", limit: PAGE, after: from });
    if (!from) { body.replaceChildren(); chosen.clear(); }
    body.append(...found.jobs.map((job) => rowOf(job, may("submit") ? choose : null)));
    after = found.after;
    more.hidden = !after;
    total.textContent = found.total
      ? `${count(found.total)}${found.total_capped ? " or more" : ""} failed ${found.total === 1 ? "job" : "jobs"}`
      : "No job has failed. Nothing to do here.";
    list.hidden = !found.total;
    replay.hidden = !found.total || !may("submit");
    choose({ checked: false, value: "" });
  }

  async function run() {
    replay.disabled = true;
    try {
      const done = await post("/jobs/replay", { job_ids: [...chosen] });
      const refused = done.results.filter((entry) => entry.error);
      say(`${count(done.results.length - refused.length)} queued again`
        + (refused.length ? `; ${refused.length} not: ${refused[0].error}` : ""), refused.length ? "bad" : "good");
    } catch (error) {
      say(error.message, "bad");
    }
    await load(null);
  }

  const list = h("table.jobs", {}, h("caption.unseen", {}, "Failed jobs, newest first"),
    h("thead", {}, h("tr", {}, h("td.pick", {}, may("submit") ? h("label", {}, all, h("span", { "aria-hidden": "true" }, "All")) : null),
      ["Product", "Stage", "Why", "Created"].map((head) => h("th", { scope: "col" }, head)))), body);
  page.replaceChildren(heading("Dead letters", replay), total, list, h("p.more", {}, more));
  await load(null);
}

function rowOf(job, choose) {
  const name = titleOf(job);
  const box = choose ? h("input", {
    type: "checkbox", value: job.job_id, "aria-label": `Choose ${name}`, onchange: () => choose(box),
  }) : null;
  return h("tr", { "data-job": job.job_id }, h("td.pick", {}, box),
    h("td.product", {}, h("a", { href: `#/jobs/${encodeURIComponent(job.job_id)}`, dir: "auto" }, name),
      h("span.sub.mono", {}, job.job_id)),
    h("td.stage.muted", {}, stageName(job.stage)), h("td.why", {}, job.error || "–"),
    h("td.muted.when", {}, age(job.created_at)));
}
