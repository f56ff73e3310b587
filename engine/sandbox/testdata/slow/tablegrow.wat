;; Grows a table by one until it is full, then in vain.
(memory (export "memory") 1)
(table $t 1 funcref)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (loop $l
    (drop (table.grow $t (ref.null func) (i32.const 1)))
    (drop (table.grow $t (ref.null func) (i32.const 100000)))
    (br $l))
  (i64.const 0))
