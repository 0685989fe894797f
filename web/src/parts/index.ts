// The parts views are made of.

export { Icon, isIcon, type IconName } from "./Icon.tsx";
export { Bar, Button, Card, Chip, Delta, Empty, Fact, Keys, Name, Num, Origin, Pill, Seg, Share, Skeleton, Spark, toneOf } from "./small.tsx";
export { ChoiceList, Menu, Popover, type Choice } from "./Menu.tsx";
export { Tooltip } from "./Tooltip.tsx";
export { Table, type Column, type TableProps } from "./Table.tsx";
export { filterRows, matcher, sortRows } from "./rows.ts";
