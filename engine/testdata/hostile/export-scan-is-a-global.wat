;; attack: Exports a global as bartizan_scan.
;; want: refused

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))

(global (export "bartizan_scan") i64 (i64.const 0))
