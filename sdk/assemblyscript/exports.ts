import { decode } from "./decode";
import { fit } from "./encode";
import { Input } from "./input";
import { Output } from "./output";
import { Text } from "./text";

// The exports of the scanner ABI. Nothing is ever freed, since the engine puts
// memory back after each call.

if (ASC_RUNTIME != 0) ERROR("a scanner wants --runtime stub: extend bartizan-scanner/asconfig.json");

const MAX_INPUT: i32 = 1 << 30; // bounds one allocation; the engine sends far less

let scan: ((input: Input) => Output) | null = null;
let configure: ((config: Text) => bool) | null = null;

/**
 * Registers the scanner's functions, once, at the top level of its file. `init`
 * is given the operator's configuration, empty if there is none; if it returns
 * false, the scanner does not start.
 */
export function handle(scanner: (input: Input) => Output, init: ((config: Text) => bool) | null = null): void {
  scan = scanner;
  configure = init;
}

// What the engine asked for and may write to.
let given: usize = 0;
let room: i32 = -1;

export function bartizan_alloc(size: i32): usize {
  if (size < 0 || size > MAX_INPUT) return 0;
  given = heap.alloc(max(size, 1));
  room = size;
  return given;
}

export function bartizan_init(ptr: usize, size: i32): i32 {
  if (!taken(ptr, size)) return 1;
  const init = configure;
  return init === null || init(new Text(ptr, size)) ? 0 : 1;
}

export function bartizan_scan(ptr: usize, size: i32): u64 {
  const scanner = scan;
  if (scanner === null || size == 0 || !taken(ptr, size)) return 0;
  const input = decode(ptr, size);
  return fit(scanner(input), input.limits);
}

/** Whether the engine points to what it was given, once; an empty text may lie anywhere. */
function taken(ptr: usize, size: i32): bool {
  const ok = size == 0 || (ptr == given && size == room);
  given = 0;
  room = -1;
  return ok;
}
