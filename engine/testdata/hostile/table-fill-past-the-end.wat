;; attack: table.fill whose end wraps around in 32 bits.
;; want: trap|fuel
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(table $t 4 funcref)
(func $attack (table.fill $t (i32.const 2) (ref.null func) (i32.const -1)))
