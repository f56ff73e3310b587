;; Fills 62 MiB at a time.
(memory (export "memory") 1000)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (loop $l
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 65000000))
    (br $l))
  (i64.const 0))
