// Small words about events of the keyboard and the pointer.

/** modified says whether Ctrl, Cmd or Alt is held: then a key belongs to the browser or to a command. */
export function modified(e: Pick<KeyboardEvent, "ctrlKey" | "metaKey" | "altKey">): boolean {
  return e.ctrlKey || e.metaKey || e.altKey;
}

/** take keeps an event from the browser and from whom it would reach next. */
export function take(e: Event): void {
  e.preventDefault();
  e.stopPropagation();
}

/** follow makes a link a step of the page, but leaves new tabs and windows to the browser. */
export function follow(step: () => void): (e: MouseEvent) => void {
  return (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    step();
  };
}
