;; Writes to one page after another, so that nearly every store is the first to
;; its page and the kernel has to find one.
(memory (export "memory") 1000)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (local $at i32)
  (loop $l
    (i32.store (local.get $at) (i32.const 1))
    (local.set $at (i32.rem_u (i32.add (local.get $at) (i32.const 4096)) (i32.const 65000000)))
    (br $l))
  (i64.const 0))
