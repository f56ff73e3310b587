;; Is fast for long enough to get the longest quantum, then writes to a new page
;; with every store, and begins again with what a reset gives back.

(memory (export "memory") 900)
(global $at (mut i32) (i32.const 65536))

(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $i i32)
  (loop $round
    (local.set $i (i32.const 0))
    (loop $fast
      (br_if $fast (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (local.set $i (i32.const 0))
    (loop $slow
      (i32.store (global.get $at) (i32.const 1))
      (global.set $at (i32.add (global.get $at) (i32.const 4096)))
      (br_if $slow (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (br_if $round (i32.lt_u (global.get $at) (i32.const 50000000))))
  (unreachable))
