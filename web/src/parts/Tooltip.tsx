// One tooltip for the whole page: what has data-tip="text" shows the text on
// hover and on focus. The text is text, never markup.

import { useEffect, useRef } from "preact/hooks";

export function Tooltip() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    let shown: Element | null = null;
    let timer = 0;
    const hide = () => {
      clearTimeout(timer);
      shown = null;
      if (el.matches(":popover-open")) el.hidePopover();
    };
    const show = (t: Element) => {
      const text = t.getAttribute("data-tip");
      if (!text || !t.isConnected) return;
      el.textContent = text;
      el.showPopover();
      const at = t.getBoundingClientRect();
      const box = el.getBoundingClientRect();
      el.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - box.width / 2, innerWidth - box.width - 8))}px`;
      el.style.top = `${at.bottom + 6 + box.height > innerHeight ? at.top - box.height - 6 : at.bottom + 6}px`;
    };
    const over = (e: Event) => {
      const t = e.target instanceof Element ? e.target.closest("[data-tip]") : null;
      if (t === shown) return;
      hide();
      shown = t;
      if (t) timer = window.setTimeout(() => show(t), e.type === "focusin" ? 250 : 400);
    };
    const focus = (e: Event) => {
      if (e.target instanceof Element && e.target.matches(":focus-visible")) over(e);
    };
    const listeners: [string, (e: Event) => void][] = [["pointerover", over], ["focusin", focus], ["focusout", hide], ["pointerdown", hide], ["keydown", hide], ["scroll", hide]];
    for (const [type, f] of listeners) document.addEventListener(type, f, { capture: true, passive: true });
    return () => {
      for (const [type, f] of listeners) document.removeEventListener(type, f, { capture: true });
    };
  }, []);
  return <div ref={ref} class="tooltip" popover="manual" role="tooltip" />;
}
