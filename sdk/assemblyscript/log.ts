// @ts-ignore: decorator
@external("bartizan", "log")
declare function host(level: i32, ptr: usize, size: i32): void;

/** How much a line matters. */
export enum Level { Debug, Info, Warning, Error }

/** Writes a line that the author sees in `bartizan scanner run`. */
export function log(line: string, level: Level = Level.Info): void {
  const bytes = String.UTF8.encode(line, false, String.UTF8.ErrorMode.REPLACE);
  host(level, changetype<usize>(bytes), bytes.byteLength);
}

/** What AssemblyScript calls where a program throws: it ends the call as a fault. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const where = (file === null ? "" : file) + ":" + line.toString() + ":" + column.toString();
  log((message === null ? "abort" : message) + " (" + where + ")", Level.Error);
  unreachable();
}
