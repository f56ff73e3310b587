;; Table instructions: single entries, and all entries at a time.
(memory (export "memory") 1)
(table $t 10000 20000 funcref)
(elem $e func 0 0 0 0 0 0 0 0)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (loop $l
    (table.set $t (i32.const 5) (table.get $t (i32.const 7)))
    (table.fill $t (i32.const 0) (ref.func 0) (i32.const 10000))
    (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 9999))
    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 8))
    (drop (table.size $t))
    (br $l))
  (i64.const 0))
