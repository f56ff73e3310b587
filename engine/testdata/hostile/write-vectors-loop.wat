;; attack: fd_write of 524,288 vectors in a loop: the host's work must be charged.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 68)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $bytes i32)
  (i32.store (i32.const 131076) (i32.const 65536))
  (local.set $bytes (i32.const 8))
  (loop $double
    (memory.copy (i32.add (i32.const 131072) (local.get $bytes)) (i32.const 131072) (local.get $bytes))
    (br_if $double (i32.lt_u (local.tee $bytes (i32.shl (local.get $bytes) (i32.const 1))) (i32.const 4194304))))
  (loop $again
    (drop (call $write (i32.const 2) (i32.const 131072) (i32.const 524288) (i32.const 8)))
    (br $again)))
