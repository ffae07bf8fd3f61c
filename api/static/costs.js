// What was spent: by day, by provider, by tenant.

import { figure, h, heading, table } from "./dom.js";
import { count, money } from "./format.js";
import { get } from "./http.js";

const BY = { day: "Day", provider: "Provider", tenant: "Tenant" };
const dearest = (one, other) => other.spent_microusd - one.spent_microusd;
const ORDER = { day: (one, other) => other.day.localeCompare(one.day) };
const SPANS = [1, 7, 30, 90, 366];

export async function render(page, { tenant, signal }) {
  const place = h("div");
  const kinds = Object.keys(BY).filter((by) => by !== "tenant" || !tenant);
  const choice = h("select", { id: "days", onchange: () => load().catch(() => null) },
    SPANS.map((days) => h("option", { value: days, selected: days === 30 }, days === 1 ? "1 day" : `${days} days`)));

  async function load() {
    const found = await Promise.all(kinds.map((by) => get("/costs", { by, days: choice.value })));
    if (signal.aborted) return;
    const sum = (name) => found[0].reduce((all, row) => all + row[name], 0);
    place.replaceChildren(
      h("dl.figures.across", {},
        figure("Spent", money(sum("spent_microusd")), `${count(sum("calls"))} paid calls`),
        figure("In doubt", money(sum("doubtful_microusd")), "calls whose end is not known"),
        figure("Thrown away", money(sum("thrown_away_microusd")), "for stages that were never finished")),
      h("div.costs", {}, kinds.map((by, i) => h(`section.panel.by-${by}`, {}, h("h2", {}, `By ${by}`),
        table(`Costs by ${by}`,
          [BY[by], { label: "Calls" }, { label: "Spent" }, { label: "In doubt" }, { label: "Thrown away" }],
          found[i].sort(ORDER[by] || dearest).map((row) => [named(by, row), count(row.calls),
            money(row.spent_microusd), some(row.doubtful_microusd), some(row.thrown_away_microusd)]),
          "Nothing was spent.", false)))));
  }

  page.replaceChildren(heading("Costs",
    h("div.field.inline", {}, h("label", { for: "days" }, "Last"), choice)), place);
  await load();
}

// Most are nothing: a column of zeros would hide those that are not.
const some = (micro) => (micro ? money(micro) : h("span.muted", {}, "–"));

function named(by, row) {
  if (by !== "day") return row[by];
  const day = new Date(`${row.day}T00:00:00Z`);
  return h("time", { datetime: row.day }, day.toLocaleDateString("en-GB", {
    timeZone: "UTC", day: "numeric", month: "short", year: "numeric" }));
}
