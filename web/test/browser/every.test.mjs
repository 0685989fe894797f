// Every view the page has, found by its rail: nothing here names a view, so a
// new one is covered when it is there. Accessibility in both themes, addresses,
// narrow windows, less motion, names that would break a careless page, an
// empty answer, a server that does not answer.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, settled, violations } from "../harness.mjs";
import { demoRun } from "../demo.mjs";
import { folder, goroutines, hostile, hostileProfile, wide } from "../profiles.mjs";

let exe, chrome;
const places = {}; // by what was opened: the address of the session
const servers = [];

before(async () => {
  exe = program();
  chrome = await browser();
  const open = {
    demo: await demoRun(exe),
    hostile: folder({ "hostile.pb.gz": hostileProfile() }),
    cpu: folder({ "cpu.pb.gz": wide(3000) }),
    goroutines: folder({ "goroutine.pb.gz": goroutines(285) }),
  };
  for (const [name, sources] of Object.entries(open)) {
    const s = await serve(exe, ...sources);
    servers.push(s);
    places[name] = `${s.url}/v1/${await firstSession(s.url)}`;
  }
});

after(async () => {
  await chrome?.close();
  for (const s of servers) s.stop();
});

/** views are the ids in the rail, in its order. */
async function views(at) {
  const p = await page(chrome, `${at}/`);
  const list = await p.$$eval(".rail a", (all) => all.map((a) => new URL(a.href).pathname.split("/")[3]));
  await p.context().close();
  assert.ok(list.length >= 2, `views at ${at}: ${list}`);
  return list;
}

/** open shows a view; what is open already is only asked for its other view, as a person would. */
async function open(at, view, query = "", how = {}) {
  const p = await page(chrome, `${at}/${view}${query}`, { ...how, ready: false });
  await settled(p);
  return p;
}

const noWider = (p) => p.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

test("every view passes axe: light, dark, narrow with less motion", async (t) => {
  for (const [name, at] of Object.entries(places)) {
    for (const view of await views(at)) {
      await t.test(`${name} ${view}`, async () => {
        const p = await open(at, view, "", { theme: "light" });
        const look = async (how) => {
          await settled(p);
          await picture(p, `every-${name}-${view}-${how}`);
          assert.deepEqual(await violations(p), [], how);
          assert.ok(await noWider(p), `${how}: wider than the window`);
        };
        await look("light");
        await p.emulateMedia({ colorScheme: "dark" });
        await look("dark");
        await p.emulateMedia({ reducedMotion: "reduce" });
        await p.setViewportSize({ width: 760, height: 640 });
        await look("narrow");
        const moving = await p.evaluate(() => document.getAnimations().filter((a) => a.playState === "running" && (a.effect?.getTiming().duration ?? 0) > 50).length);
        assert.equal(moving, 0, "something moves");
        assert.deepEqual(serious(p), []);
        await p.context().close();
      });
    }
  }
});

test("every address is read back as it was, and every step can be undone", async (t) => {
  for (const view of await views(places.demo)) {
    await t.test(view, async () => {
      const p = await open(places.demo, view, "?q=main&sel=f:main.main&x=ignore:no_such_function");
      const shown = p.url();
      await p.reload();
      await settled(p);
      assert.equal(p.url(), shown);
      await p.click(".chip:has-text('ignore') .remove");
      await eventually("without the filter", () => !p.url().includes("x="));
      await p.keyboard.press("Control+z");
      await eventually("as before", () => p.url() === shown);
      await settled(p);
      await p.keyboard.press("Control+Shift+Z");
      await eventually("again without", () => !p.url().includes("x="));
      assert.deepEqual(serious(p), []);
      await p.context().close();
    });
  }
});

test("names are text in every view", async (t) => {
  for (const view of await views(places.hostile)) {
    await t.test(view, async () => {
      for (const name of [hostile[0], hostile[2], hostile[5]]) {
        const p = await open(places.hostile, view, `?sel=${encodeURIComponent("f:" + name)}&q=${encodeURIComponent(name.slice(0, 20))}`);
        assert.doesNotMatch(await p.title(), /^broken/);
        assert.equal(await p.evaluate(() => document.querySelectorAll("main script, main img, aside script, aside img, main iframe").length), 0);
        assert.ok(await noWider(p), "wider than the window");
        assert.deepEqual(serious(p), []);
        await p.context().close();
      }
    });
  }
});

test("no view is blank: nothing left by the filters, no answer from the server", async (t) => {
  for (const view of await views(places.demo)) {
    await t.test(view, async () => {
      const p = await open(places.demo, view, "?x=focus:nothing_matches_this");
      assert.ok((await p.innerText(".main")).trim().length > 20, "blank");
      await picture(p, `nothing-${view}`);
      assert.deepEqual(serious(p), []);
      await p.context().setOffline(true);
      await p.click(".chip .remove");
      await p.click(".rail a:not([aria-current])"); // some views do not ask again for a filter
      await p.waitForSelector(".banner");
      assert.match(await p.innerText(".main"), /does not answer/);
      await p.context().close();
    });
  }
});
