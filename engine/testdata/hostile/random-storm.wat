;; attack: Loop-free: asks a million times for 4 MiB of random bytes.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(memory (export "memory") 68)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f0
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304)))
  (drop (call $random (i32.const 131072) (i32.const 4194304))))
(func $f1
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0)
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0))
(func $f2
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1)
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1))
(func $f3
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2)
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2))
(func $f4
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3)
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3))
(func $f5
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4)
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4))
(func $attack (call $f5))
