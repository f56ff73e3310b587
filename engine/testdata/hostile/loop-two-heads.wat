;; attack: A loop that alternates between two heads, an outer and an inner one.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local $n i32)
  (loop $outer
    (loop $inner
      (local.set $n (i32.xor (local.get $n) (i32.const 1)))
      (br_if $inner (local.get $n))
      (br $outer))))
