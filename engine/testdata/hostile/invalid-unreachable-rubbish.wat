;; attack: Hides an unknown instruction behind unreachable, where types are not checked.
;; want: refused

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))

(func (unreachable) (@raw "\ff"))
