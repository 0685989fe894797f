// The page around flame graph and call graph: tabs, theme, search, keyboard, status line.
(function () {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($('data').textContent);

  // ---- Numbers. Steps come with the data: [{f: factor, s: suffix}], smallest first.
  function format(v) {
    const a = Math.abs(v), steps = data.unit.steps;
    let k = 0;
    while (k + 1 < steps.length && a >= steps[k + 1].f) k++;
    const x = v / steps[k].f, m = Math.abs(x);
    const digits = k === 0 && Number.isInteger(x) ? 0 : m >= 100 ? 1 : m >= 10 ? 2 : 2;
    return x.toFixed(digits) + (steps[k].s === '' ? '' : ' ' + steps[k].s);
  }
  function percent(r) { return (r * 100).toFixed(Math.abs(r) >= 0.1 || r === 0 ? 1 : 2) + '%'; }
  function signed(v) { return v > 0 ? '▲ +' + format(v) : v < 0 ? '▼ ' + format(v) : 'no change'; }
  function count(n, word) { return n.toLocaleString('en') + ' ' + word + (n === 1 ? '' : 's'); }

  // ---- Theme: the system's, until the button says otherwise.
  const root = document.documentElement, systemDark = window.matchMedia('(prefers-color-scheme: dark)');
  function isDark() { return root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches; }
  try { const t = localStorage.getItem('profound-theme'); if (t === 'dark' || t === 'light') root.dataset.theme = t; } catch (e) { /* no storage for files */ }
  $('theme').addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try { localStorage.setItem('profound-theme', root.dataset.theme); } catch (e) { /* as above */ }
    if (flame) flame.theme();
  });
  systemDark.addEventListener('change', () => { if (flame) flame.theme(); });

  // ---- Flame graph.
  let flame = null;
  const back = []; // zooms to return to
  if (data.flame) {
    flame = profoundFlame(data.flame, {
      canvas: $('canvas'), scroll: $('scroll'), space: $('space'), runLength: 0,
      format: format, percent: percent, signed: signed,
      folded: showFolded, selected: showSelected, zoomed: showPath,
    });
  }
  let inView = -1;
  function showFolded(n) {
    if (n === inView) return;
    inView = n;
    const out = [];
    if (n > 0) out.push(count(n, 'frame') + ' under 1 px merged in this view');
    if (data.pruned.frames > 0) out.push(count(data.pruned.frames, 'frame') + ' too small for this file (' + percent(data.pruned.share) + ')');
    $('folded').textContent = out.length > 0 ? out.join(' · ') : 'every frame is drawn';
  }
  function treeItem(i, parent) {
    const el = document.createElement('div');
    el.id = 'f' + i;
    el.setAttribute('role', 'treeitem');
    el.setAttribute('aria-level', flame.level(i) + 1);
    el.setAttribute('aria-selected', i === flame.selection());
    if (flame.kids(i).length > 0) el.setAttribute('aria-expanded', i === flame.selection());
    el.textContent = flame.describe(i);
    parent.appendChild(el);
  }
  // The tree that assistive software reads holds the path, the siblings and the children of the selection only.
  function showSelected(i) {
    const tree = $('tree');
    tree.textContent = '';
    if (i < 0) return;
    const path = [];
    for (let p = flame.parent(i); p >= 0; p = flame.parent(p)) path.push(p);
    for (const p of path.reverse()) treeItem(p, tree);
    const siblings = flame.kids(flame.parent(i)), at = siblings.indexOf(i);
    for (const s of siblings.slice(Math.max(0, at - 10), at + 11)) {
      treeItem(s, tree);
      if (s === i) for (const k of flame.kids(i).slice(0, 25)) treeItem(k, tree);
    }
    tree.setAttribute('aria-activedescendant', 'f' + i);
    $('status').textContent = flame.describe(i);
  }
  function showPath(i, path) {
    const nav = $('path');
    nav.textContent = '';
    const add = (text, to, current) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.textContent = text;
      b.title = text;
      if (current) b.setAttribute('aria-current', 'true');
      b.addEventListener('click', () => { go(to); $('tree').focus({ preventScroll: true }); });
      nav.appendChild(b);
    };
    add('all', -1, i < 0);
    for (const p of path) {
      nav.appendChild(document.createTextNode(' › '));
      const s = flame.name(p);
      add(s.slice(s.lastIndexOf('/') + 1), p, p === i);
    }
    nav.scrollLeft = nav.scrollWidth;
  }
  function go(i) {
    if (i === flame.zoomedTo()) return;
    back.push(flame.zoomedTo());
    flame.zoom(i);
  }
  function goBack() {
    if (back.length > 0) flame.zoom(back.pop());
    else if (flame.zoomedTo() >= 0) flame.zoom(-1);
    else return false;
    return true;
  }

  if (flame) {
    const scroll = $('scroll'), tip = $('tip'), tree = $('tree');
    const place = (e) => { const r = $('canvas').getBoundingClientRect(); return flame.at(e.clientX - r.left, e.clientY - r.top); };
    scroll.addEventListener('pointermove', (e) => {
      const i = place(e);
      flame.hover(i);
      if (i < 0) { tip.hidden = true; return; }
      tip.textContent = '';
      const b = document.createElement('b');
      b.textContent = flame.name(i);
      tip.appendChild(b);
      const line = (text, cls) => { const s = document.createElement('span'); s.textContent = text; if (cls) s.className = cls; tip.appendChild(s); };
      const f = data.flame;
      line(format(f.total[i]) + ' total, ' + flame.share(f.total[i]));
      line(format(f.self[i]) + ' self, ' + flame.share(f.self[i]) + (f.category[i] > 0 ? ' · ' + f.categories[f.category[i]] : ''));
      if (f.delta) line('change ' + signed(f.delta[i]), f.delta[i] > 0 ? 'more' : f.delta[i] < 0 ? 'less' : '');
      tip.hidden = false;
      const w = tip.offsetWidth, h = tip.offsetHeight;
      tip.style.left = Math.max(4, Math.min(e.clientX + 14, window.innerWidth - w - 8)) + 'px';
      tip.style.top = (e.clientY + 18 + h > window.innerHeight ? Math.max(4, e.clientY - h - 12) : e.clientY + 18) + 'px';
    });
    scroll.addEventListener('pointerleave', () => { tip.hidden = true; flame.hover(-1); });
    scroll.addEventListener('click', (e) => {
      const i = place(e);
      tree.focus({ preventScroll: true });
      if (i < 0) return;
      flame.select(i, false);
      go(i);
    });
    tree.addEventListener('focus', () => { if (flame.selection() >= 0) showSelected(flame.selection()); });
    document.addEventListener('keydown', () => { tip.hidden = true; });
    tree.addEventListener('keydown', (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const i = flame.selection(), siblings = i < 0 ? [] : flame.kids(flame.parent(i)), at = siblings.indexOf(i);
      let to = -1;
      switch (e.key) {
        case 'ArrowDown': to = i < 0 ? -1 : flame.kids(i)[0]; break;
        case 'ArrowUp': to = i < 0 ? -1 : flame.parent(i); break;
        case 'ArrowLeft': to = siblings[at - 1]; break;
        case 'ArrowRight': to = siblings[at + 1]; break;
        case 'Home': to = flame.kids(-1)[0]; break;
        case 'Enter': case 'z': case ' ': if (i >= 0) go(i); e.preventDefault(); return;
        default: return;
      }
      e.preventDefault();
      if (to !== undefined && to >= 0) flame.select(to, true);
    });
    flame.theme();
    new ResizeObserver(() => flame.resize()).observe(scroll);
    showPath(-1, []);
    showSelected(flame.selection());
  }

  // ---- Search.
  let found = null, foundAt = -1;
  function search() {
    const q = $('search').value;
    let test = null;
    if (q !== '') {
      const low = q.toLowerCase();
      test = (s) => s.toLowerCase().includes(low);
      if (/[\\^$*+?|[\](){}]/.test(q)) {
        try { const re = new RegExp(q, 'i'); test = (s) => re.test(s) || s.toLowerCase().includes(low); } catch (e) { /* unfinished: taken literally */ }
      }
    }
    found = flame ? flame.search(test) : null;
    foundAt = -1;
    $('found').textContent = found === null ? '' : found.frames === 0 ? 'no match' :
      found.share + ' of the total (' + format(found.total) + ') in ' + count(found.frames, 'frame') + ' of ' + count(found.names, 'name');
    markGraph(test);
  }
  function markGraph(test) {
    for (const g of document.querySelectorAll('#svg .pf-node')) {
      const t = g.querySelector('title');
      g.style.opacity = test === null || test(t ? t.textContent : g.textContent) ? '' : '0.25';
    }
  }
  function step(d) {
    if (!found || found.order.length === 0) return;
    foundAt = (foundAt + d + found.order.length) % found.order.length;
    flame.select(found.order[foundAt], true);
  }
  $('search').addEventListener('input', search);
  $('search').addEventListener('keydown', (e) => {
    if (e.key === 'Enter') { step(e.shiftKey ? -1 : 1); e.preventDefault(); }
    if (e.key === 'Escape') {
      e.stopPropagation();
      if ($('search').value !== '') { $('search').value = ''; search(); } else if (flame) $('tree').focus({ preventScroll: true });
    }
  });
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    if (e.key === '/') { e.preventDefault(); $('search').focus(); $('search').select(); }
    else if (e.key === 'Escape' && flame && !$('flame').hidden) { if (goBack()) e.preventDefault(); }
    else if (e.key === 'n' || e.key === 'N') step(e.key === 'n' ? 1 : -1);
  });

  // ---- Tabs.
  const tabs = [$('tab-flame'), $('tab-graph')].filter((t) => {
    const keep = t.id === 'tab-flame' ? !!flame : !!document.querySelector('#svg svg');
    if (!keep) { t.remove(); }
    return keep;
  });
  let pan = null;
  function show(tab) {
    for (const t of tabs) {
      const on = t === tab;
      t.setAttribute('aria-selected', on);
      t.tabIndex = on ? 0 : -1;
      $(t.getAttribute('aria-controls')).hidden = !on;
    }
    document.querySelector('.keys').hidden = tab.id !== 'tab-flame';
    $('folded').hidden = tab.id !== 'tab-flame';
    $('status').hidden = tab.id !== 'tab-flame';
    if (tab.id === 'tab-graph' && pan === null) {
      pan = profoundPanZoom(document.querySelector('#svg svg'));
      $('zoom-in').addEventListener('click', () => pan.zoom(1.25));
      $('zoom-out').addEventListener('click', () => pan.zoom(0.8));
      $('zoom-fit').addEventListener('click', () => pan.fit());
    }
    if (tab.id === 'tab-flame') flame.resize();
  }
  tabs.forEach((t, k) => {
    t.addEventListener('click', () => show(t));
    t.addEventListener('keydown', (e) => {
      if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
      const to = tabs[(k + 1) % tabs.length];
      to.focus();
      show(to);
    });
  });
  if (tabs.length > 0) show(tabs[0]);
  else { $('flame').hidden = true; $('graph').hidden = true; $('status').textContent = 'Nothing to show: this file holds neither a flame graph nor a call graph.'; }

  // ---- Key of the colours.
  if (data.flame) {
    const key = $('key'), f = data.flame;
    const add = (color, word) => {
      const s = document.createElement('span'), i = document.createElement('i');
      i.style.background = 'var(' + color + ')';
      s.append(i, word);
      key.appendChild(s);
    };
    if (f.delta) { add('--less', '▼ less'); add('--same', 'same'); add('--more', '▲ more'); }
    const used = new Set(f.category);
    f.categories.forEach((c, i) => { if (i > 0 && used.has(i)) add('--cat' + i, c); });
  }
})();
