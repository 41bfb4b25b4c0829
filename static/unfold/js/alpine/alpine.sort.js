// In place of the shell's plugin for rows that are dragged into an order (14 kB compressed), which it loads on every
// page: none of our lists names an `ordering_field`, so no element has `x-sort`.
