;; Grows by all that is left at once and writes to every page of it.
(memory (export "memory") 1)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (drop (memory.grow (i32.const 1000)))
  (loop $l
    (drop (memory.grow (i32.const 65535)))
    (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65000000))
    (br $l))
  (i64.const 0))
