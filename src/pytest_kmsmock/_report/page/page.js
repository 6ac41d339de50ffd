"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tests = data.tests;
  const at = (id) => document.getElementById(id);

  // Everything is put into the page as text, never as HTML.
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };
  const svg = (name, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const time = (seconds) =>
    seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 1)} ms`;
  const many = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const names = new Map();
  for (const test of tests) for (const key of test.keys) if (key.name) names.set(key.arn, key.name);
  const shortKey = (arn) => names.get(arn) || arn.slice(arn.indexOf("key/"));
  const isDenied = (call) => call.error === "AccessDeniedException" && !call.injected;
  const kind = (call) => (call.injected ? "injected" : call.error ? "refused" : call.uses_key ? "use" : "manage");
  const isFailed = (test) => test.outcome === "failed" || test.outcome === "error";
  tests.sort((one, other) => isFailed(other) - isFailed(one));

  // --- filters: what is chosen, and whether a call and a test have it ------------------------------------------
  const chosen = { only: "", operation: "", outcome: "", words: [] };
  const FAILED = "failed or error";
  const ONLY = {
    refused: (call) => call.error !== "",
    denied: isDenied,
    context: (call) => call.lacks_context,
  };
  for (const test of tests) {
    test.text = `${test.test}\n${test.failure}`.toLowerCase();
    for (const call of test.calls) {
      const words = [call.operation, call.caller, call.via, call.region, call.error, call.message, call.mock, call.phase];
      for (const arn of call.keys) words.push(arn, names.get(arn) || "");
      for (const [name, value] of call.request) words.push(name, value);
      call.text = words.join("\n").toLowerCase();
    }
  }
  const fits = (test, call) =>
    (!chosen.only || ONLY[chosen.only](call)) &&
    (!chosen.operation || call.operation === chosen.operation) &&
    chosen.words.every((word) => call.text.includes(word) || test.text.includes(word));
  const isFiltered = () => chosen.only || chosen.operation || chosen.words.length > 0;

  const show = () => {
    let shownTests = 0;
    let shownCalls = 0;
    for (const test of tests) {
      const calls = test.calls.filter((call) => fits(test, call)).length;
      const bare = test.calls.length === 0 && !chosen.only && !chosen.operation && chosen.words.every((word) => test.text.includes(word));
      const visible = (calls > 0 || bare) && (!chosen.outcome || (chosen.outcome === FAILED ? isFailed(test) : test.outcome === chosen.outcome));
      test.element.hidden = !visible;
      if (visible) {
        shownTests += 1;
        shownCalls += calls;
        if (test.rows) dim(test);
      }
    }
    at("shown").textContent = `${many(shownTests, "test")}, ${many(shownCalls, "call")}`;
    at("nothing").hidden = shownTests > 0;
    for (const card of document.querySelectorAll(".card[data-only]"))
      card.setAttribute("aria-pressed", String(chosen.only === card.dataset.only));
    at("failed").setAttribute("aria-pressed", String(chosen.outcome === FAILED));
    at("operation").value = chosen.operation;
    at("outcome").value = chosen.outcome;
  };
  const dim = (test) => {
    for (const [call, row] of test.rows) row.hidden = Boolean(isFiltered()) && !fits(test, call);
    for (const [heading, calls] of test.headings) heading.hidden = calls.every((call) => test.rows.get(call).hidden);
  };
  const choose = (changes) => {
    Object.assign(chosen, changes);
    show();
  };
  const clear = () => {
    at("search").value = "";
    choose({ only: "", operation: "", outcome: "", words: [] });
  };

  // --- the top: cards, operations, unused keys ------------------------------------------------------------------
  at("about").textContent = `${many(data.totals.tests, "test")} called KMS · ${data.generated}`;
  const card = (value, label, only, style = "") =>
    make("button", {
      class: `card ${value ? style : ""}`, type: "button", "data-only": only, "aria-pressed": "false",
      onclick: () => (only === "" ? clear() : choose({ only: chosen.only === only ? "" : only })),
    }, make("b", {}, String(value)), make("span", {}, label));
  const sum = data.totals.overall;
  const failed = tests.filter(isFailed).length;
  at("cards").append(
    make("button", {
      class: `card ${failed ? "bad" : ""}`, id: "failed", type: "button", "aria-pressed": "false",
      onclick: () => choose({ outcome: chosen.outcome === FAILED ? "" : FAILED }),
    }, make("b", {}, String(failed)), make("span", {}, `${failed === 1 ? "test" : "tests"} failed`)),
    card(sum.calls, "calls", ""),
    card(sum.refused, "refused", "refused", "bad"),
    card(sum.denied, "denied by policies", "denied", "bad"),
    card(sum.without_context, "without encryption context", "context", "odd"),
    make("div", { class: "card panel" }, make("b", {}, String(data.totals.unused_keys.length)), make("span", {}, "keys never used")),
    make("div", { class: "card panel" }, make("b", {}, time(sum.took)), make("span", {}, "spent in KMS")),
  );
  const number = (value, style) => make("td", { class: `n ${value ? style || "" : "none"}` }, String(value || "–"));
  const most = Math.max(1, ...data.totals.operations.map((each) => each.calls));
  at("operations").append(
    make("thead", {}, make("tr", {}, make("th", {}, "operation"), make("th", {}, ""),
      ...["calls", "refused", "denied", "no context", "tests", "time"].map((title) => make("th", { class: "n" }, title)))),
    make("tbody", {}, ...data.totals.operations.map((each) => {
      const refused = make("i");
      refused.style.width = `${(100 * each.refused) / each.calls}%`;
      const bar = make("div", {}, refused);
      bar.style.width = `${(100 * each.calls) / most}%`;
      const link = make("button", {
        class: "plain", type: "button", title: "Show only these calls",
        onclick: () => {
          choose({ operation: chosen.operation === each.operation ? "" : each.operation });
          at("toolbar").scrollIntoView({ block: "start" });
        },
      }, each.operation);
      return make("tr", {}, make("td", {}, link), make("td", { class: "bar" }, bar), number(each.calls),
        number(each.refused, "bad"), number(each.denied, "bad"), number(each.without_context, "odd"),
        number(each.tests), make("td", { class: "n" }, time(each.took)));
    })),
  );
  if (data.totals.unused_keys.length) {
    at("unused").hidden = false;
    at("unused-keys").append(
      make("thead", {}, make("tr", {}, ...["key", "key spec", "ARN", "tests"].map((title) => make("th", {}, title)))),
      make("tbody", {}, ...data.totals.unused_keys.map(({ key, tests: having }) => make("tr", {},
        make("td", { title: key.name }, key.name || "–"), make("td", {}, make("code", {}, key.spec)), make("td", {}, make("code", {}, key.arn)),
        make("td", { title: having.join("\n") }, make("code", {}, having[0]), having.length > 1 ? ` and ${having.length - 1} more` : "")))),
    );
  }

  // --- a test: its line, and once it is opened its calls --------------------------------------------------------
  const WIDTH = 1000;
  const line = (test, calls) => {
    const end = Math.max(...test.calls.map((call) => call.start + call.took), 1e-6);
    const bars = calls.map((call) => {
      const width = Math.max(8, (WIDTH * call.took) / end);
      const x = Math.min((WIDTH * call.start) / end, WIDTH - width);
      return svg("rect", { x, y: 3, width, height: 16, rx: 2, class: kind(call) });
    });
    return svg("svg", { class: "line", viewBox: `0 0 ${WIDTH} 22`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "base", x: 0, y: 10, width: WIDTH, height: 2 }), ...bars);
  };
  const MARKS = { passed: "✓", failed: "✗", error: "!", skipped: "–" };
  const list = (pairs) => make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("code", {}, value))]));
  const details = (call) => {
    const parts = [];
    if (call.error) {
      parts.push(make("p", { class: "why" }, call.error + (call.injected ? " (injected by a fault)" : "")));
      if (call.message) parts.push(make("p", {}, call.message));
      if (call.reasons.length)
        parts.push(make("h3", {}, "What the policies say"), make("ul", {}, ...call.reasons.map((reason, index) =>
          make("li", { class: call.decisive.includes(index) ? "decisive" : reason.startsWith("+") ? "applies" : "" }, reason))));
    }
    parts.push(make("h3", {}, "Request"), call.request.length ? list(call.request) : make("p", {}, "no parameters"));
    if (call.answer.length) parts.push(make("h3", {}, "Answer"), list(call.answer));
    parts.push(make("h3", {}, "Request context"), list([
      ["caller", call.caller], ...(call.via ? [["via", call.via]] : []), ["Region", call.region], ["time of the mock", call.time], ["answered by", call.mock],
      ...call.keys.map((arn) => ["key", names.has(arn) ? `${arn} (${names.get(arn)})` : arn]), ["took", time(call.took)],
    ]));
    return make("div", { class: "detail" }, ...parts);
  };
  const fill = (test) => {
    if (test.rows) return;
    test.rows = new Map();
    test.headings = [];
    const body = make("div", { class: "calls" });
    if (test.failure) body.append(make("pre", { class: "failure" }, test.failure));
    const mocks = new Set(test.calls.map((call) => call.mock)).size;
    let heading = "";
    test.calls.forEach((call, index) => {
      const title = mocks > 1 ? `${call.phase} · ${call.mock}` : call.phase;
      if (title !== heading) {
        heading = title;
        const element = make("div", { class: "phase" }, title);
        test.headings.push([element, []]);
        body.append(element);
      }
      const row = make("details", { class: `call ${kind(call)}` }, make("summary", {},
        make("span", { class: "no" }, String(index + 1)), make("span", { class: "op" }, call.operation),
        make("span", { class: "on" }, call.keys.map(shortKey).join(" → ")),
        call.error ? make("span", { class: call.injected ? "pill odd" : "pill bad" }, call.error + (call.injected ? " · injected" : ""))
          : call.lacks_context ? make("span", { class: "pill odd" }, "no context") : make("span"),
        make("span", { class: "ms" }, time(call.took)), line(test, [call])));
      row.addEventListener("toggle", () => { if (row.open && row.children.length === 1) row.append(details(call)); });
      test.headings.at(-1)[1].push(call);
      test.rows.set(call, row);
      body.append(row);
    });
    if (!test.calls.length) body.append(make("p", {}, "This test made no calls; it only left keys behind."));
    test.element.append(body);
    dim(test);
  };
  for (const test of tests) {
    const cut = test.test.lastIndexOf("::");
    const refused = test.calls.filter((call) => call.error && !call.injected).length;
    const injected = test.calls.filter((call) => call.injected).length;
    test.element = make("details", { class: "test" }, make("summary", {},
      make("span", { class: `mark ${test.outcome}`, title: test.outcome, role: "img", "aria-label": test.outcome }, MARKS[test.outcome]),
      make("span", { class: "name" }, make("small", {}, cut < 0 ? "" : test.test.slice(0, cut)), make("b", {}, test.test.slice(cut < 0 ? 0 : cut + 2)),
        test.failure ? make("span", { class: "message" }, test.failure.split("\n").find(Boolean)) : ""),
      make("span", { class: "counts" }, injected ? make("span", { class: "pill odd" }, `${injected} injected`) : "", refused ? make("span", { class: "pill bad" }, `${refused} refused`) : "", many(test.calls.length, "call")),
      line(test, test.calls)));
    test.element.addEventListener("toggle", () => { if (test.element.open) fill(test); });
  }
  at("tests").append(...tests.map((test) => test.element));

  // --- controls ---------------------------------------------------------------------------------------------------
  at("operation").append(make("option", { value: "" }, "any operation"),
    ...data.totals.operations.map((each) => each.operation).sort().map((name) => make("option", {}, name)));
  at("operation").addEventListener("change", (event) => choose({ operation: event.target.value }));
  at("outcome").addEventListener("change", (event) => choose({ outcome: event.target.value }));
  at("search").addEventListener("input", (event) => choose({ words: event.target.value.toLowerCase().split(/\s+/).filter(Boolean) }));
  at("clear").addEventListener("click", clear);
  const visible = () => tests.filter((test) => !test.element.hidden).map((test) => test.element);
  const openAll = () => {
    const open = visible().some((element) => !element.open);
    for (const test of tests) {
      if (test.element.hidden) continue;
      test.element.open = open;
      if (open) fill(test);
      for (const [call, row] of test.rows || []) if (call.error) row.open = open;
    }
    at("all").textContent = open ? "Close all" : "Open all";
  };
  at("all").addEventListener("click", openAll);

  const root = document.documentElement;
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    at("theme").textContent = theme === "dark" ? "☀" : "☾";
  };
  const stored = (() => { try { return localStorage.getItem("kms-theme"); } catch { return null; } })();
  setTheme(stored || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  const switchTheme = () => {
    setTheme(root.dataset.theme === "dark" ? "light" : "dark");
    try { localStorage.setItem("kms-theme", root.dataset.theme); } catch { /* a page from a file may have no storage */ }
  };
  at("theme").addEventListener("click", switchTheme);

  const step = (by) => {
    const elements = visible();
    if (!elements.length) return;
    const now = elements.indexOf(document.activeElement.closest(".test"));
    const next = now < 0 ? (by > 0 ? 0 : elements.length - 1) : Math.min(Math.max(now + by, 0), elements.length - 1);
    elements[next].querySelector("summary").focus();
    elements[next].scrollIntoView({ block: "nearest" });
  };
  const KEYS = { "/": () => at("search").focus(), j: () => step(1), k: () => step(-1), e: openAll, t: switchTheme };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { clear(); document.activeElement.blur(); return; }
    if (/^(INPUT|SELECT)$/.test(event.target.tagName) || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  show();
})();
