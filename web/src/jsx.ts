// What the build writes in place of markup: _jsx(type, props, ...children)
// names no children, which makes the page some kilobytes smaller than
// jsx(type, { children }) of preact/jsx-runtime, where the types are from. The
// underscores are there so that no name of the sources hides these.

export { Fragment as _Fragment, h as _jsx } from "preact";
