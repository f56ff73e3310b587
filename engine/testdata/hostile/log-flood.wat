;; attack: Logs 10,000 lines of 64 KiB, of which 4 KiB are kept.
;; want: complete
;; in: scan alloc init _initialize start

(import "bartizan" "log" (func $log (param i32 i32 i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $n i32)
  (loop $again
    (call $log (i32.const 7) (i32.const 0) (i32.const 65536))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10000)))))
