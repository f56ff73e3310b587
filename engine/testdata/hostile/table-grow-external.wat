;; attack: Grows a table of external references by 4 billion elements.
;; want: complete|fuel|memory
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(table $t 0 externref)
(func $attack (drop (table.grow $t (ref.null extern) (i32.const -1))))
