;; attack: One fd_write of 524,288 vectors of 64 KiB each: 32 GiB in one call of the host.
;; want: complete|fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 68)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $bytes i32)
  (i32.store (i32.const 131076) (i32.const 65536)) ;; vector 0: address 0, 64 KiB
  (local.set $bytes (i32.const 8))
  (loop $double
    (memory.copy (i32.add (i32.const 131072) (local.get $bytes)) (i32.const 131072) (local.get $bytes))
    (br_if $double (i32.lt_u (local.tee $bytes (i32.shl (local.get $bytes) (i32.const 1))) (i32.const 4194304))))
  (drop (call $write (i32.const 1) (i32.const 131072) (i32.const 524288) (i32.const 8))))
