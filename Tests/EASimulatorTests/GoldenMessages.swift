/// The field's messages, byte for byte, by version and name. Source: ea-golden.jsonl.
enum GoldenMessages {
    static func text(_ version: String, _ name: String) -> String? { all["\(version) \(name)"] }

    static let all: [String: String] = [
        "2.05 HELLO": #"""
        {"type":"HELLO","target_uuid":"COMMANDER_DEV_001","node_id":"NODE_843859_109092125",\#
        "account_login":"843859","broker":"Coinexx-Demo","company":"Coinexx Limited",\#
        "terminal":"MetaTrader 5","currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,\#
        "margin":3522.71,"free_margin":6012.52,"margin_level":270.68,"symbols":15,"version":"2.05",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 HEARTBEAT": #"""
        {"type":"HEARTBEAT","target_uuid":"COMMANDER_DEV_001","node_id":"NODE_843859_109092125",\#
        "currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,"margin":3522.71,\#
        "free_margin":6012.52,"margin_level":270.68,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 handshake": #"""
        {"type":"handshake","deployment_mode":"universal_dealer","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"leverage":500,"version":"2.05","socket_type":"DEALER",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 heartbeat": #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,\#
        "free_margin":6012.52,"margin_level":270.68,"symbols_monitored":15,"ticks_processed":4523,\#
        "socket_type":"DEALER","timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 DISCONNECT": #"""
        {"type":"DISCONNECT","deployment_mode":"universal_dealer","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "socket_type":"DEALER","timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01/2.02/2.05 TICK": #"""
        {"type":"TICK","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","symbol":"EURUSD",\#
        "bid":1.17617,"ask":1.17620,"spread":3.0,"volume":0,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01/2.02/2.05 OHLC": #"""
        {"type":"OHLC","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","symbol":"EURUSD",\#
        "timeframe":"M1","time":1757965140,"open":1.17601,"high":1.17620,"low":1.17598,"close":1.17617,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 confirmation fire ok": #"""
        {"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363",\#
        "node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","status":"success",\#
        "ticket":21604324,"price":1.17620,"lot":0.10,"message":"Trade executed successfully via DEALER",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"free_margin":6012.52,\#
        "margin_level":270.68,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 confirmation fire failed": #"""
        {"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363",\#
        "node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":0,\#
        "price":0.00000,"lot":0.10,"message":"Trade execution failed - Error: 4756 Result: 10016",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"free_margin":6012.52,\#
        "margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 confirmation unknown": #"""
        {"type":"confirmation","command_type":"unknown","fire_id":"","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":0,"price":0.00000,"lot":0.00,\#
        "message":"Unknown command type: WELCOME","account":843859,"currency":"USD","balance":9405.62,\#
        "equity":9535.23,"free_margin":6012.52,"margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 close_confirmation ticket": #"""
        {"type":"close_confirmation","command_type":"close_ticket","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":21604324,"close_price":0.00000,\#
        "lot":0.10,"message":"Position closed successfully","account":843859,"currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"free_margin":6012.52,"margin_level":0.00,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 close_confirmation all": #"""
        {"type":"close_confirmation","command_type":"close_all","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":0,"close_price":0.00000,"lot":0.30,\#
        "message":"Closed 3 positions, 0 failed, Total volume: 0.30","account":843859,"currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"free_margin":9535.23,"margin_level":0.00,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.05 pong": #"""
        {"type":"pong","ping_id":"p-1","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.02 handshake": #"""
        {"type":"handshake","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","balance":850.47,\#
        "equity":847.26,"version":"2.02","timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.02 heartbeat": #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"balance":850.47,"equity":847.26,"free_margin":828.61,"margin_level":5196.38,\#
        "symbols_monitored":15,"ticks_processed":4523,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.02 DISCONNECT": #"""
        {"type":"DISCONNECT","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01 handshake": #"""
        {"type":"handshake","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","balance":850.47,\#
        "equity":847.26,"version":"2.01","timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01 heartbeat": #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"balance":850.47,"equity":847.26,"free_margin":828.61,"margin_level":5196.38,\#
        "symbols_monitored":15,"ticks_processed":4523,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01 DISCONNECT": #"""
        {"type":"DISCONNECT","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.02 confirmation": #"""
        {"type":"confirmation","command_type":"fire","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":20658628,"price":1.16631,"lot":0.01,\#
        "message":"Trade executed successfully","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":5196.38,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.02 close_confirmation": #"""
        {"type":"close_confirmation","command_type":"close_ticket","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":99,"close_price":0.00000,"lot":0.00,\#
        "message":"Position not found","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "2.01 confirmation": #"""
        {"type":"confirmation","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "symbol":"USDJPY","status":"success","ticket":20658628,"price":147.366,"lot":0.01,\#
        "message":"Trade executed successfully","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":5196.38,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 tick": #"""
        {"type":"tick","symbol":"EURUSD","bid":1.15548,"ask":1.15561,"spread":13.0,"volume":0,\#
        "timestamp":1754060224}
        """#,
        "7.01 candle_batch": #"""
        {"type":"candle_batch","symbol":"EURUSD","timestamp":1754083399,"M1":[{"time":1754082800,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754082860,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754082920,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754082980,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754083040,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125}],"M5":[{"time":1754080640,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754080940,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754081240,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754081540,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},{"time":1754081840,\#
        "open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125}],\#
        "M15":[{"time":1754075240,"open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},\#
        {"time":1754076140,"open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},\#
        {"time":1754077040,"open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},\#
        {"time":1754077940,"open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125},\#
        {"time":1754078840,"open":1.15283,"high":1.15301,"low":1.15275,"close":1.15290,"volume":125}]}
        """#,
        "7.01 heartbeat": #"""
        {"type":"heartbeat","balance":850.47,"equity":847.26,"positions":2,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 status": #"""
        {"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",\#
        "ea_version":"7.01","account":843859,"server":"Coinexx-Demo","timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 status_report": #"""
        {"type":"status_report","connected":true,"uptime":3,"messages_received":12,"messages_sent":99,\#
        "trades_executed":1,"errors":0,"open_positions":2,"account_balance":850.47,"account_equity":847.26,\#
        "account_margin":21.86,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 trade_result": #"""
        {"type":"trade_result","signal_id":"SIG_1","status":"success","ticket":20658628,"price":1.16631,\#
        "message":"","balance":850.47,"equity":847.26,"margin":21.86,"timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 error": #"""
        {"type":"error","signal_id":"SIG_1","error":"Trade failed: Invalid stops in the request",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#,
        "7.01 pong": #"""
        {"type":"pong","timestamp":"2025.09.15 19:39:23"}
        """#,
    ]
}
