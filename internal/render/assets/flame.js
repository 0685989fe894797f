// Flame graph on a canvas. The tree is kept as columns sorted by level, so a frame costs a binary search a level and one
// rectangle for each visible frame; runs of frames under a pixel are drawn as one and counted.
function profoundFlame(data, ui) {
  'use strict';
  const n = data.parent.length;
  const ROW = 20, MINTEXT = 24, PAD = 12;

  // ---- Tree: widths, order of siblings, start and level of each frame.
  const width = new Float64Array(n), start = new Float64Array(n), depth = new Int32Array(n);
  for (let i = 0; i < n; i++) width[i] = Math.max(data.width ? data.width[i] : data.total[i], 0);
  const below = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    if (below[i] > width[i]) width[i] = below[i];
    if (data.parent[i] >= 0) below[data.parent[i]] += width[i];
  }
  const kids = Array.from({ length: n + 1 }, () => null);
  for (let i = 0; i < n; i++) {
    const p = data.parent[i] < 0 ? n : data.parent[i];
    if (kids[p] === null) kids[p] = [i]; else kids[p].push(i);
  }
  for (const k of kids) if (k !== null) k.sort((a, b) => width[b] - width[a] || (data.names[data.name[a]] < data.names[data.name[b]] ? -1 : 1));
  let whole = 0, sum = 0;
  for (const r of kids[n] || []) { start[r] = whole; whole += width[r]; sum += data.total[r]; }
  const levels = [];
  let level = kids[n] || [];
  while (level.length > 0) {
    levels.push(Int32Array.from(level));
    const nextLevel = [];
    for (const i of level) {
      depth[i] = levels.length - 1;
      let x = start[i];
      for (const k of kids[i] || []) { start[k] = x; x += width[k]; nextLevel.push(k); }
    }
    level = nextLevel;
  }

  // ---- View.
  let zoomed = -1;               // frame that fills the width; -1: everything
  let selected = n > 0 ? (kids[n] || [0])[0] : -1;
  let hover = -1;
  let x0 = 0, x1 = whole || 1;   // visible range in units of width
  let matches = null;            // Uint8Array by name, or null
  const canvas = ui.canvas, ctx = canvas.getContext('2d'), scroll = ui.scroll;
  let W = 0, H = 0, ratio = 1, charW = 7.2, colors = null;

  function theme() {
    const css = getComputedStyle(document.documentElement);
    const v = (name) => css.getPropertyValue(name).trim();
    colors = { card: v('--card'), line: v('--line'), accent: v('--accent'), ink: '#10151c', text: v('--text1') };
    colors.cat = data.categories.map((_, i) => v('--cat' + i));
    colors.change = [v('--less'), v('--same'), v('--more')];
    colors.fills = data.delta ? Array.from({ length: 41 }, (_, i) => blend(i / 20 - 1)) : colors.cat;
    paint();
  }
  function parse(c) { return [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)); }
  function blend(t) {
    const a = parse(colors.change[1]), b = parse(colors.change[t < 0 ? 0 : 2]), k = Math.sqrt(Math.abs(t));
    return 'rgb(' + a.map((v, i) => Math.round(v + (b[i] - v) * k)).join(',') + ')';
  }
  // fillOf returns an index in colors.fills.
  function fillOf(i) {
    if (!data.delta) return data.category[i];
    const now = data.total[i], d = data.delta[i], base = Math.max(Math.abs(now), Math.abs(now - d));
    return Math.round((base === 0 ? 0 : Math.max(-1, Math.min(1, d / base))) * 20) + 20;
  }
  function name(i) { return data.names[data.name[i]]; }
  function share(v) { return sum === 0 ? '' : ui.percent(v / sum); }

  function resize() {
    W = scroll.clientWidth;
    H = scroll.clientHeight;
    if (W === 0) return;
    ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(W * ratio);
    canvas.height = Math.round(H * ratio);
    canvas.style.width = W + 'px';
    canvas.style.height = H + 'px';
    ui.space.style.height = Math.max(0, levels.length * ROW + 2 * PAD - H) + 'px';
    paint();
  }

  let queued = false;
  function paint() {
    if (queued || W === 0) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  }

  function draw() {
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = colors.card;
    ctx.fillRect(0, 0, W, H);
    ctx.font = '12px "JetBrains Mono", ui-monospace, Menlo, Consolas, "Liberation Mono", monospace';
    ctx.textBaseline = 'middle';
    charW = ctx.measureText('mmmmmmmmmm').width / 10;
    const top = scroll.scrollTop, scale = (W - 2 * PAD) / (x1 - x0);
    const from = Math.max(0, Math.floor((top - PAD) / ROW)), to = Math.min(levels.length, Math.ceil((top + H) / ROW));
    let folded = 0;
    for (let l = from; l < to; l++) folded += drawLevel(levels[l], PAD + l * ROW - top, scale);
    ctx.globalAlpha = 1;
    if (hover >= 0 && hover !== selected) outline(hover, scale, top, colors.text, 1);
    if (selected >= 0) outline(selected, scale, top, colors.accent, 2.5);
    ui.folded(folded);
  }

  // drawLevel draws the visible frames of one level and returns how many were merged because they are under a pixel wide.
  function drawLevel(level, y, scale) {
    let lo = 0, hi = level.length;
    while (lo < hi) { // first frame that ends right of the left edge
      const m = (lo + hi) >> 1;
      if (start[level[m]] + width[level[m]] > x0) hi = m; else lo = m + 1;
    }
    let folded = 0;
    const right = W - PAD;
    for (let k = lo; k < level.length; k++) {
      const i = level[k];
      const a = PAD + (start[i] - x0) * scale;
      if (a >= right) break;
      const w = width[i] * scale;
      if (w < 1) {
        k = drawRun(level, k, a, y, scale);
        folded += ui.runLength;
        continue;
      }
      const left = Math.max(a, PAD), end = Math.min(a + w, right), room = end - left;
      const hit = matches === null || matches[data.name[i]] === 1;
      const context = zoomed >= 0 && depth[i] < depth[zoomed]; // frames above the zoomed one step back
      ctx.globalAlpha = hit ? (context ? 0.6 : 1) : 0.28;
      ctx.fillStyle = colors.fills[fillOf(i)];
      ctx.fillRect(left, y, room > 3 ? room - 1 : room, ROW - 1);
      let pad = 5;
      if (data.delta && data.category[i] > 0 && room > 10) {
        ctx.fillStyle = colors.cat[data.category[i]];
        ctx.fillRect(left, y, 3, ROW - 1);
        pad = 8;
      }
      if (room >= MINTEXT) {
        const s = label(i, Math.floor((room - pad - 3) / charW));
        if (s !== '') {
          ctx.globalAlpha = hit ? 1 : 0.75;
          ctx.fillStyle = hit ? colors.ink : colors.text;
          ctx.fillText(s, left + pad, y + ROW / 2);
        }
      }
    }
    return folded;
  }

  // drawRun merges frames under a pixel that start within the same pixel and returns the last one's place in the level.
  function drawRun(level, k, a, y, scale) {
    const limit = x0 + (Math.floor(a) + 1 - PAD) / scale;
    let step = 1, hi = k + 1;
    while (hi < level.length && start[level[hi]] < limit) { hi += step; step *= 2; }
    let lo = Math.max(k + 1, hi - step);
    hi = Math.min(hi, level.length);
    while (lo < hi) {
      const m = (lo + hi) >> 1;
      if (start[level[m]] < limit) lo = m + 1; else hi = m;
    }
    // A wide frame that starts in this pixel ends the run.
    let last = lo - 1;
    if (last > k && width[level[last]] * scale >= 1) last--;
    let i = level[k];
    ctx.globalAlpha = 0.5;
    if (matches !== null) {
      ctx.globalAlpha = 0.15;
      for (let j = k; j <= last && j < k + 200; j++) if (matches[data.name[level[j]]] === 1) { i = level[j]; ctx.globalAlpha = 1; break; }
    }
    ctx.fillStyle = colors.fills[fillOf(i)];
    ctx.fillRect(Math.max(a, PAD), y, 1, ROW - 1);
    ui.runLength = last - k + 1;
    return last;
  }

  function outline(i, scale, top, color, lw) {
    const a = Math.max(PAD + (start[i] - x0) * scale, PAD), b = Math.min(PAD + (start[i] + width[i] - x0) * scale, W - PAD);
    if (b < a) return;
    ctx.strokeStyle = color;
    ctx.lineWidth = lw;
    ctx.strokeRect(a, PAD + depth[i] * ROW - top - 0.5, Math.max(b - a - 1, 1), ROW);
  }

  // label returns the best text of at most `room` characters: name and value, name, its end after the last slash, or that cut.
  function label(i, room) {
    if (room < 2) return '';
    const full = name(i), short = full.slice(full.lastIndexOf('/') + 1);
    let value = '  ' + ui.format(data.total[i]);
    if (data.delta && data.delta[i] !== 0) value += ' ' + ui.signed(data.delta[i]);
    if (full.length + value.length <= room) return full + value;
    if (short.length + value.length <= room) return short + value;
    if (full.length <= room) return full;
    if (short.length <= room) return short;
    return short.slice(0, room - 1) + '…';
  }

  // ---- Selection, zoom, search.
  function describe(i) {
    let s = name(i) + ', ' + ui.format(data.total[i]) + ', ' + share(data.total[i]) + ', self ' + ui.format(data.self[i]) + ', ' + share(data.self[i]);
    if (data.delta) s += ', ' + ui.signed(data.delta[i]);
    return s;
  }
  function select(i, reveal) {
    selected = i;
    if (reveal && i >= 0) {
      const y = depth[i] * ROW + PAD;
      if (y < scroll.scrollTop) scroll.scrollTop = y - PAD;
      else if (y + ROW > scroll.scrollTop + H) scroll.scrollTop = y + ROW + PAD - H;
      if (start[i] + width[i] <= x0 || start[i] >= x1 || start[i] < x0 && zoomed >= 0 && depth[i] > depth[zoomed]) zoom(data.parent[i]);
    }
    ui.selected(i);
    paint();
  }
  const motion = window.matchMedia('(prefers-reduced-motion: reduce)');
  let anim = 0;
  function zoom(i) {
    zoomed = i;
    const a = i < 0 ? 0 : start[i], b = i < 0 ? whole || 1 : start[i] + (width[i] || 1);
    const from = [x0, x1], t0 = performance.now();
    cancelAnimationFrame(anim);
    if (motion.matches) { x0 = a; x1 = b; paint(); } else {
      const tick = () => {
        const t = Math.min(1, Math.max(0, (performance.now() - t0) / 120)), k = t * (2 - t);
        x0 = t === 1 ? a : from[0] + (a - from[0]) * k;
        x1 = t === 1 ? b : from[1] + (b - from[1]) * k;
        draw();
        if (t < 1) anim = requestAnimationFrame(tick);
      };
      tick();
    }
    ui.zoomed(i, path(i));
  }
  function path(i) {
    const out = [];
    for (; i >= 0; i = data.parent[i]) out.push(i);
    return out.reverse();
  }
  // search marks the frames whose name matches and returns what they come to; nested matches count once.
  function search(test) {
    if (test === null) { matches = null; paint(); return null; }
    matches = new Uint8Array(data.names.length);
    let names = 0, frames = 0, total = 0;
    data.names.forEach((s, i) => { if (test(s)) { matches[i] = 1; names++; } });
    const inside = new Uint8Array(n), order = [];
    for (let i = 0; i < n; i++) {
      const p = data.parent[i], hit = matches[data.name[i]] === 1;
      inside[i] = hit || p >= 0 && inside[p] === 1 ? 1 : 0;
      if (hit) {
        frames++;
        order.push(i);
        if (p < 0 || inside[p] === 0) total += data.total[i];
      }
    }
    order.sort((a, b) => width[b] - width[a]);
    paint();
    return { names: names, frames: frames, total: total, share: share(total), order: order };
  }
  function at(px, py) {
    const l = Math.floor((py + scroll.scrollTop - PAD) / ROW);
    if (l < 0 || l >= levels.length || px < PAD || px > W - PAD) return -1;
    const v = x0 + (px - PAD) / (W - 2 * PAD) * (x1 - x0), level = levels[l];
    let lo = 0, hi = level.length;
    while (lo < hi) {
      const m = (lo + hi) >> 1;
      if (start[level[m]] + width[level[m]] > v) hi = m; else lo = m + 1;
    }
    return lo < level.length && start[level[lo]] <= v ? level[lo] : -1;
  }
  scroll.addEventListener('scroll', paint);
  return {
    count: n, sum: sum, theme: theme, resize: resize, select: select, zoom: zoom, search: search, at: at, describe: describe, name: name, share: share,
    kids: (i) => kids[i < 0 ? n : i] || [], parent: (i) => data.parent[i], level: (i) => depth[i],
    selection: () => selected, zoomedTo: () => zoomed, hover: (i) => { if (i !== hover) { hover = i; paint(); } },
  };
}
