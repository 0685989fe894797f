// The parts views are made of.

export { Icon, isIcon, type IconName } from "./Icon.tsx";
export { Amount, Bar, Button, Card, changeClass, Chip, Delta, edge, Empty, fill, IconButton, ink, Keys, Mark, Name, NameCell, Note, Origin, Parted, Seg, Skeleton, Spark, toneOf, type Option } from "./small.tsx";
export { FactRow, Facts, Selected, Trend, ValueTip } from "./facts.tsx";
export { FilterField, NoFilters, NoSamples, nothingWords, Warning } from "./state.tsx";
export { ChoiceList, Menu, Popover, type Choice } from "./Menu.tsx";
export { Tooltip } from "./Tooltip.tsx";
export { Table, type Column, type TableProps } from "./Table.tsx";
export { filterRows, matcher, sortRows } from "./rows.ts";
