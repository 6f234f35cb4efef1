/// What real terminals send, byte for byte: one captured or source-derived example per message and version.
///
/// Lines are broken here only; `\#` at a line's end joins it with the next. Source: ea-wire, golden lines.
enum Golden {
    /// 2.05: HELLO, 379 bytes.
    static let hello205 = #"""
        {"type":"HELLO","target_uuid":"COMMANDER_DEV_001","node_id":"NODE_843859_109092125",\#
        "account_login":"843859","broker":"Coinexx-Demo","company":"Coinexx Limited",\#
        "terminal":"MetaTrader 5","currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,\#
        "margin":3522.71,"free_margin":6012.52,"margin_level":270.68,"symbols":15,"version":"2.05",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: HEARTBEAT, 273 bytes.
    static let dealerHeartbeat205 = #"""
        {"type":"HEARTBEAT","target_uuid":"COMMANDER_DEV_001","node_id":"NODE_843859_109092125",\#
        "currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,"margin":3522.71,\#
        "free_margin":6012.52,"margin_level":270.68,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: handshake, 415 bytes.
    static let handshake205 = #"""
        {"type":"handshake","deployment_mode":"universal_dealer","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"leverage":500,"version":"2.05","socket_type":"DEALER",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: heartbeat, 317 bytes.
    static let heartbeat205 = #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"leverage":500,\#
        "free_margin":6012.52,"margin_level":270.68,"symbols_monitored":15,"ticks_processed":4523,\#
        "socket_type":"DEALER","timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: DISCONNECT, 227 bytes.
    static let disconnect205 = #"""
        {"type":"DISCONNECT","deployment_mode":"universal_dealer","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "socket_type":"DEALER","timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01/2.02/2.05: TICK, 185 bytes.
    static let tick2x = #"""
        {"type":"TICK","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","symbol":"EURUSD",\#
        "bid":1.17617,"ask":1.17620,"spread":3.0,"volume":0,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01/2.02/2.05: OHLC, 228 bytes.
    static let ohlc2x = #"""
        {"type":"OHLC","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","symbol":"EURUSD",\#
        "timeframe":"M1","time":1757965140,"open":1.17601,"high":1.17620,"low":1.17598,"close":1.17617,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: confirmation fire ok, 415 bytes.
    static let confirmationFireOk205 = #"""
        {"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363",\#
        "node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","status":"success",\#
        "ticket":21604324,"price":1.17620,"lot":0.10,"message":"Trade executed successfully via DEALER",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"free_margin":6012.52,\#
        "margin_level":270.68,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: confirmation fire failed, 417 bytes.
    static let confirmationFireFailed205 = #"""
        {"type":"confirmation","command_type":"fire","fire_id":"ELITE_RAPID_EURUSD_1757954363",\#
        "node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":0,\#
        "price":0.00000,"lot":0.10,"message":"Trade execution failed - Error: 4756 Result: 10016",\#
        "account":843859,"currency":"USD","balance":9405.62,"equity":9535.23,"free_margin":6012.52,\#
        "margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: confirmation unknown, 370 bytes.
    static let confirmationUnknown205 = #"""
        {"type":"confirmation","command_type":"unknown","fire_id":"","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":0,"price":0.00000,"lot":0.00,\#
        "message":"Unknown command type: WELCOME","account":843859,"currency":"USD","balance":9405.62,\#
        "equity":9535.23,"free_margin":6012.52,"margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: close_confirmation ticket, 381 bytes.
    static let closeConfirmationTicket205 = #"""
        {"type":"close_confirmation","command_type":"close_ticket","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":21604324,"close_price":0.00000,\#
        "lot":0.10,"message":"Position closed successfully","account":843859,"currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"free_margin":6012.52,"margin_level":0.00,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: close_confirmation all, 391 bytes.
    static let closeConfirmationAll205 = #"""
        {"type":"close_confirmation","command_type":"close_all","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":0,"close_price":0.00000,"lot":0.30,\#
        "message":"Closed 3 positions, 0 failed, Total volume: 0.30","account":843859,"currency":"USD",\#
        "balance":9405.62,"equity":9535.23,"free_margin":9535.23,"margin_level":0.00,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.05: pong, 131 bytes.
    static let pong205 = #"""
        {"type":"pong","ping_id":"p-1","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.02: handshake, 351 bytes.
    static let handshake202 = #"""
        {"type":"handshake","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","balance":850.47,\#
        "equity":847.26,"version":"2.02","timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.02: heartbeat, 260 bytes.
    static let heartbeat202 = #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"balance":850.47,"equity":847.26,"free_margin":828.61,"margin_level":5196.38,\#
        "symbols_monitored":15,"ticks_processed":4523,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.02: DISCONNECT, 197 bytes.
    static let disconnect202 = #"""
        {"type":"DISCONNECT","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01: handshake, 351 bytes.
    static let handshake201 = #"""
        {"type":"handshake","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","account":843859,"broker":"Coinexx Limited","server":"Coinexx-Demo",\#
        "chart_symbol":"EURUSD","monitored_symbols":3,"symbol_list":"EURUSD,GBPUSD,XAUUSD","balance":850.47,\#
        "equity":847.26,"version":"2.01","timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01: heartbeat, 260 bytes.
    static let heartbeat201 = #"""
        {"type":"heartbeat","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "account":843859,"balance":850.47,"equity":847.26,"free_margin":828.61,"margin_level":5196.38,\#
        "symbols_monitored":15,"ticks_processed":4523,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01: DISCONNECT, 197 bytes.
    static let disconnect201 = #"""
        {"type":"DISCONNECT","deployment_mode":"universal","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","symbols_monitored":15,"ticks_processed":4523,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.02: confirmation, 343 bytes.
    static let confirmation202 = #"""
        {"type":"confirmation","command_type":"fire","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"success","ticket":20658628,"price":1.16631,"lot":0.01,\#
        "message":"Trade executed successfully","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":5196.38,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.02: close_confirmation, 344 bytes.
    static let closeConfirmation202 = #"""
        {"type":"close_confirmation","command_type":"close_ticket","node_id":"NODE_843859_109092125",\#
        "user_uuid":"COMMANDER_DEV_001","status":"failed","ticket":99,"close_price":0.00000,"lot":0.00,\#
        "message":"Position not found","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":0.00,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 2.01: confirmation, 339 bytes.
    static let confirmation201 = #"""
        {"type":"confirmation","node_id":"NODE_843859_109092125","user_uuid":"COMMANDER_DEV_001",\#
        "symbol":"USDJPY","status":"success","ticket":20658628,"price":147.366,"lot":0.01,\#
        "message":"Trade executed successfully","account":843859,"balance":850.47,"equity":847.26,\#
        "free_margin":828.61,"margin_level":5196.38,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: tick, 109 bytes.
    static let tick701 = #"""
        {"type":"tick","symbol":"EURUSD","bid":1.15548,"ask":1.15561,"spread":13.0,"volume":0,\#
        "timestamp":1754060224}
        """#

    /// 7.01: candle_batch, 1481 bytes.
    static let candleBatch701 = #"""
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
        """#

    /// 7.01: heartbeat, 101 bytes.
    static let heartbeat701 = #"""
        {"type":"heartbeat","balance":850.47,"equity":847.26,"positions":2,\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: status, 184 bytes.
    static let status701 = #"""
        {"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",\#
        "ea_version":"7.01","account":843859,"server":"Coinexx-Demo","timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: status_report, 250 bytes.
    static let statusReport701 = #"""
        {"type":"status_report","connected":true,"uptime":3,"messages_received":12,"messages_sent":99,\#
        "trades_executed":1,"errors":0,"open_positions":2,"account_balance":850.47,"account_equity":847.26,\#
        "account_margin":21.86,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: trade_result, 191 bytes.
    static let tradeResult701 = #"""
        {"type":"trade_result","signal_id":"SIG_1","status":"success","ticket":20658628,"price":1.16631,\#
        "message":"","balance":850.47,"equity":847.26,"margin":21.86,"timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: error, 123 bytes.
    static let error701 = #"""
        {"type":"error","signal_id":"SIG_1","error":"Trade failed: Invalid stops in the request",\#
        "timestamp":"2025.09.15 19:39:23"}
        """#

    /// 7.01: pong, 49 bytes.
    static let pong701 = #"""
        {"type":"pong","timestamp":"2025.09.15 19:39:23"}
        """#

    /// Every line with its length on the wire.
    static let all: [(text: String, bytes: Int)] = [
        (hello205, 379), (dealerHeartbeat205, 273), (handshake205, 415), (heartbeat205, 317), (disconnect205, 227),
        (tick2x, 185), (ohlc2x, 228), (confirmationFireOk205, 415), (confirmationFireFailed205, 417),
        (confirmationUnknown205, 370), (closeConfirmationTicket205, 381), (closeConfirmationAll205, 391),
        (pong205, 131), (handshake202, 351), (heartbeat202, 260), (disconnect202, 197), (handshake201, 351),
        (heartbeat201, 260), (disconnect201, 197), (confirmation202, 343), (closeConfirmation202, 344),
        (confirmation201, 339), (tick701, 109), (candleBatch701, 1481), (heartbeat701, 101), (status701, 184),
        (statusReport701, 250), (tradeResult701, 191), (error701, 123), (pong701, 49),
    ]
}
