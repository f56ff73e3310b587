// The example of the SDK in AssemblyScript (sdk/examples/assemblyscript) as a
// plugin of Extism: the same code, on the same input.
import { Host } from "@extism/as-pdk";
import { bartizan_alloc, bartizan_scan } from "../../../../../sdk/examples/assemblyscript/ticket";

export function plugin(): i32 {
  const begin = heap.alloc(1);
  const failed = call();
  release(begin);
  return failed;
}

function call(): i32 {
  const input = Host.input();
  const room = bartizan_alloc(input.length);
  memory.copy(room, input.dataStart, input.length);
  const answer = bartizan_scan(room, input.length);
  if (answer == 0) return 1;
  const output = new Uint8Array(<i32>answer);
  memory.copy(output.dataStart, <usize>(answer >> 32), output.length);
  Host.output(output);
  return 0;
}

const HEADER: usize = sizeof<usize>(); // the size of a block, in front of it

// The runtime that the SDK is written for gives back only what was allocated
// last. So all blocks of a call become one, and that is the last.
function release(begin: usize): void {
  const end = heap.alloc(1);
  heap.free(end);
  store<usize>(begin - HEADER, end - HEADER - begin);
  heap.free(begin);
}
