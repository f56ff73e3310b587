;; attack: Exports its memory and globals under many names: legal.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))

(global $g (export "g") (export "h") (mut i32) (i32.const 1))
(export "memory2" (memory 0))
(export "" (memory 0))
(export "\u{1f600}" (global $g))
