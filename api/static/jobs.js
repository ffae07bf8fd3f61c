// The list of jobs: searched, filtered, read on by cursor, its bars moved by the event stream.

import { badge, h, heading, progressBar } from "./dom.js";
import { age, between, count, duration, stageName, titleOf } from "./format.js";
import { get } from "./http.js";
import { follow } from "./live.js";
import { every, settled } from "./timers.js";

const STATES = ["pending", "scheduled", "processing", "completed", "failed", "cancelled"];
const PAGE = 25;
const FINAL = ["completed", "failed", "cancelled"];

export async function render(page, { tenant, signal }) {
  const rows = new Map();
  const body = h("tbody");
  const total = h("p.muted", { role: "status" });
  const more = h("button.button", { type: "button", onclick: () => load(after) }, "More");
  let after = null;
  let turn = 0;

  const given = new URLSearchParams(location.hash.split("?")[1]);
  const shown = list(body);
  const form = filters(given, tenant, () => load(null));

  async function load(from) {
    const mine = ++turn;
    const wanted = Object.fromEntries(new FormData(form));
    const text = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
    history.replaceState(null, "", text ? `#/jobs?${text}` : "#/jobs");
    const found = await get("/jobs", { ...wanted, limit: PAGE, after: from });
    if (mine !== turn || signal.aborted) return;
    if (!from) { body.replaceChildren(); rows.clear(); }
    for (const job of found.jobs) body.append(rowOf(rows, job));
    after = found.after;
    more.hidden = !after;
    total.textContent = rows.size ? said(found)
      : text ? "No job fits." : "No job yet.";
    shown.hidden = !rows.size;
  }

  page.replaceChildren(heading("Jobs"), form, total, shown, h("p.more", {}, more));
  await load(null);
  // A job that is not shown: perhaps a new one. Only the top of the list is asked for anew.
  const soon = settled(600, () => rows.size <= PAGE && load(null), signal);
  follow("/events", signal, (event) => {
    const row = rows.get(event.job_id);
    if (row) row.tell(event);
    else soon();
  });
  every(5000, () => rows.forEach((row) => row.grow()), signal);
}

function said(found) {
  const number = `${count(found.total)}${found.total_capped ? " or more" : ""} ${found.total === 1 ? "job" : "jobs"}`;
  return found.searched ? `${number} among the newest ${count(found.searched)}` : number;
}

function filters(given, tenant, changed) {
  let soon = 0;
  const later = () => { clearTimeout(soon); soon = setTimeout(changed, 250); };
  const field = (name, label, more = {}) => h("div.field", {}, h("label", { for: `by-${name}` }, label),
    h("input", { id: `by-${name}`, name, value: given.get(name) || "", oninput: later, autocomplete: "off", ...more }));
  return h("form.filters", { role: "search", onsubmit: (event) => { event.preventDefault(); changed(); } },
    field("text", "Search", { type: "search", placeholder: "Product, text or id", maxlength: 100 }),
    h("div.field", {}, h("label", { for: "by-status" }, "State"),
      h("select", { id: "by-status", name: "status", onchange: changed },
        h("option", { value: "" }, "All"), STATES.map((state) =>
          h("option", { value: state, selected: given.get("status") === state }, state)))),
    field("kind", "Kind", { placeholder: "All", maxlength: 100 }),
    tenant ? null : field("tenant", "Tenant", { placeholder: "All", maxlength: 64 }));
}

const list = (body) => h("table.jobs", {}, h("caption.unseen", {}, "Jobs, newest first"),
  h("thead", {}, h("tr", {}, ["Product", "State", "Stage", "Progress", "Created"].map((head) =>
    h("th", { scope: "col" }, head)))), body);

const ended = (job) => (job.finished_at && job.started_at
  ? `took ${duration(between(job.started_at, job.finished_at))}` : "–");

function rowOf(rows, job) {
  const name = titleOf(job);
  const state = h("td.state-of", {}, badge(job.status));
  const stage = h("td.stage.muted", {}, FINAL.includes(job.status) ? "–" : stageName(job.stage));
  const bar = progressBar(job.progress, `Progress of ${name}`);
  const how = h("td.how.muted", {}, FINAL.includes(job.status) ? ended(job) : bar);
  const when = h("td.muted.when", {}, age(job.created_at));
  const row = h("tr", { "data-job": job.job_id },
    h("td.product", {}, h("a", { href: `#/jobs/${encodeURIComponent(job.job_id)}`, dir: "auto" }, name),
      h("span.sub", {}, [job.kind === "video" ? job.style : job.job_id.slice(0, 18), job.tenant === "default" ? null : job.tenant].filter(Boolean).join(" · "))),
    state, stage, how, when);
  rows.set(job.job_id, {
    grow: () => { when.textContent = age(job.created_at); },
    tell: (event) => {
      const now = event.status || "processing";
      bar.move(event.progress);
      state.replaceChildren(badge(now));
      if (!FINAL.includes(now)) how.replaceChildren(bar);
      stage.textContent = FINAL.includes(now) ? "–" : stageName(event.stage);
    },
  });
  return row;
}
