;; Copies 30 MiB at a time, to pages that were not written before.
(memory (export "memory") 1000)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (loop $l
    (memory.copy (i32.const 32000000) (i32.const 0) (i32.const 32000000))
    (memory.copy (i32.const 1) (i32.const 0) (i32.const 60000000))
    (br $l))
  (i64.const 0))
