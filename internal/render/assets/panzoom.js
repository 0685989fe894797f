// Pan and zoom for one SVG made by this program. Used by the stand-alone SVG and by the HTML page.
// Drag pans, the wheel zooms around the pointer; keys: arrows pan, + and - zoom, 0 fits, 1 natural size.
// Hovering over a box lights up its edges and neighbours.
function profoundPanZoom(svg) {
  'use strict';
  const standalone = svg === document.documentElement;
  const vb = svg.viewBox.baseVal;
  const full = { x: vb.x, y: vb.y, w: vb.width, h: vb.height };
  const view = svg.querySelector('.pf-view');
  const background = standalone ? svg.querySelector('rect') : null;
  let scale = 1, x = full.x, y = full.y;
  svg.setAttribute('width', '100%');
  svg.setAttribute('height', '100%');
  svg.setAttribute('tabindex', '0');

  function size() {
    const r = standalone ? { width: window.innerWidth, height: window.innerHeight } : svg.getBoundingClientRect();
    return { w: r.width || 800, h: r.height || 600 };
  }
  function apply() {
    const s = size();
    const w = s.w / scale, h = s.h / scale;
    // Keep at least a strip of the picture in sight.
    x = Math.min(Math.max(x, full.x - w * 0.85), full.x + full.w - w * 0.15);
    y = Math.min(Math.max(y, full.y - h * 0.85), full.y + full.h - h * 0.15);
    svg.setAttribute('viewBox', x + ' ' + y + ' ' + w + ' ' + h);
    if (background) {
      background.setAttribute('x', x); background.setAttribute('y', y);
      background.setAttribute('width', w); background.setAttribute('height', h);
    }
  }
  function fitScale() {
    const s = size();
    return Math.min(s.w / full.w, s.h / full.h);
  }
  function fit() {
    const s = size();
    scale = Math.min(fitScale(), 1.5);
    x = full.x + full.w / 2 - s.w / scale / 2;
    y = full.y + Math.min(0, full.h / 2 - s.h / scale / 2);
    apply();
  }
  // The first view keeps text readable: the whole picture if it fits at 85 %, else its top near natural size, far enough
  // right that the heaviest edge (the last one drawn) is in sight.
  function start() {
    if (fitScale() >= 0.85) { fit(); return; }
    const s = size();
    scale = Math.max(Math.min(1, s.w / full.w), 0.9);
    y = full.y;
    x = full.x + Math.min(0, (full.w - s.w / scale) / 2);
    const all = svg.querySelectorAll('.pf-edge');
    if (x === full.x && all.length > 0) {
      const b = all[all.length - 1].getBBox();
      x = Math.max(full.x, Math.min(b.x + b.width / 2 - s.w / scale * 0.65, full.x + full.w - s.w / scale));
    }
    apply();
  }
  function zoom(factor, px, py) {
    const next = Math.min(Math.max(scale * factor, Math.min(fitScale(), 1) * 0.5), 8);
    x += px / scale - px / next;
    y += py / scale - py / next;
    scale = next;
    apply();
  }
  function local(e) {
    if (standalone) return { x: e.clientX, y: e.clientY };
    const r = svg.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  }
  svg.addEventListener('wheel', function (e) {
    e.preventDefault();
    const p = local(e);
    if (e.shiftKey) { x += (e.deltaX || e.deltaY) / scale; apply(); return; }
    const unit = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
    zoom(Math.exp(-e.deltaY * unit * 0.0016), p.x, p.y);
  }, { passive: false });

  let drag = null;
  svg.addEventListener('pointerdown', function (e) {
    if (e.button !== 0) return;
    drag = { px: e.clientX, py: e.clientY, x: x, y: y, id: e.pointerId };
  });
  svg.addEventListener('pointermove', function (e) {
    if (!drag) return;
    const dx = e.clientX - drag.px, dy = e.clientY - drag.py;
    if (!drag.on && Math.abs(dx) + Math.abs(dy) < 4) return;
    if (!drag.on) { drag.on = true; svg.setPointerCapture(drag.id); svg.style.cursor = 'grabbing'; }
    x = drag.x - dx / scale;
    y = drag.y - dy / scale;
    apply();
  });
  function drop() { drag = null; svg.style.cursor = ''; }
  svg.addEventListener('pointerup', drop);
  svg.addEventListener('pointercancel', drop);

  svg.addEventListener('keydown', function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const s = size(), step = 80 / scale;
    switch (e.key) {
      case 'ArrowLeft': x -= step; apply(); break;
      case 'ArrowRight': x += step; apply(); break;
      case 'ArrowUp': y -= step; apply(); break;
      case 'ArrowDown': y += step; apply(); break;
      case '+': case '=': zoom(1.25, s.w / 2, s.h / 2); break;
      case '-': zoom(0.8, s.w / 2, s.h / 2); break;
      case '0': fit(); break;
      case '1': scale = 1; apply(); break;
      default: return;
    }
    e.preventDefault();
  });

  const nodes = {};
  const edges = [];
  for (const n of svg.querySelectorAll('.pf-node')) nodes[n.getAttribute('data-n')] = n;
  for (const e of svg.querySelectorAll('.pf-edge,.pf-label')) {
    edges.push({ el: e, from: e.getAttribute('data-from'), to: e.getAttribute('data-to') });
  }
  function light(pick, self) {
    for (const h of svg.querySelectorAll('.pf-hot')) h.classList.remove('pf-hot');
    view.classList.toggle('pf-dim', pick !== null);
    if (pick === null) return;
    if (self) self.classList.add('pf-hot');
    for (const e of edges) {
      if (!pick(e)) continue;
      e.el.classList.add('pf-hot');
      for (const n of [nodes[e.from], nodes[e.to]]) if (n) n.classList.add('pf-hot');
    }
  }
  svg.addEventListener('pointerover', function (e) {
    if (drag && drag.on) return;
    const g = e.target.closest ? e.target.closest('.pf-node,.pf-edge,.pf-label') : null;
    if (!g) { light(null); return; }
    const n = g.getAttribute('data-n');
    if (n !== null) light(function (d) { return d.from === n || d.to === n; }, g);
    else {
      const f = g.getAttribute('data-from'), t = g.getAttribute('data-to');
      light(function (d) { return d.from === f && d.to === t; });
    }
  });
  svg.addEventListener('pointerleave', function () { light(null); });
  window.addEventListener('resize', apply);
  start();
  return { fit: fit, start: start, zoom: function (f) { const s = size(); zoom(f, s.w / 2, s.h / 2); } };
}
