// Completed and failed jobs by the hour: bars to see, and the same as a table to read.

import { h, svg, table } from "./dom.js";

const [HEIGHT, FOOT] = [170, 22];

export function hourChart(buckets, open) {
  // Drawn about as wide as it is shown, so that its letters have the page's size.
  const narrow = innerWidth < 760;
  const [width, gap] = narrow ? [340, 3] : [720, 6];
  const most = Math.max(1, ...buckets.map((bucket) => bucket.completed + bucket.failed));
  const top = niceTop(most);
  const step = width / buckets.length;
  const high = (number) => (number / top) * (HEIGHT - FOOT - 14);
  const floor = HEIGHT - FOOT;
  const drawing = svg("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", class: "chart",
    "aria-label": `Jobs ended by the hour, at most ${most} in one. The table below has the numbers.`,
  });
  for (const part of [0.5, 1]) {
    const y = floor - high(top * part);
    const number = svg("text", { x: 0, y: y - 4, class: "axis" });
    number.textContent = top * part;
    drawing.append(svg("line", { x1: 0, x2: width, y1: y, y2: y, class: "grid" }), number);
  }
  buckets.forEach((bucket, i) => {
    const x = i * step + gap / 2;
    const done = high(bucket.completed);
    drawing.append(bar(x, floor - done, step - gap, done, "completed"));
    drawing.append(bar(x, floor - done - high(bucket.failed), step - gap, high(bucket.failed), "failed"));
    if (i % (narrow ? 6 : 4) === 0) {
      const hour = svg("text", { x: i * step + gap / 2, y: HEIGHT - 4, class: "axis" });
      hour.textContent = hourOf(bucket);
      drawing.append(hour);
    }
  });
  drawing.append(svg("line", { x1: 0, x2: width, y1: floor, y2: floor, class: "ground" }));
  return h("div", {}, drawing, h("details", { open }, h("summary", { "data-key": "hours" }, "As a table"),
    table("Jobs ended by the hour", ["From", { label: "Completed" }, { label: "Failed" }],
      buckets.map((bucket) => [hourOf(bucket), String(bucket.completed), String(bucket.failed)]), "")));
}

const hourOf = (bucket) =>
  new Date(bucket.start).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

const bar = (x, y, width, height, kind) =>
  svg("rect", { x, y, width, height, class: `is-${kind}`, rx: Math.min(2, height / 2) });

// The next even number of the form 2, 4, 10, 20, 40, 100, and so on.
function niceTop(most) {
  let power = 1;
  for (;;) {
    for (const digit of [2, 4, 10]) if (digit * power >= most) return digit * power;
    power *= 10;
  }
}
