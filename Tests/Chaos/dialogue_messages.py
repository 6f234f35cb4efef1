"""Messages a dialogue calls by `@name key=value …`: the texts of ea-wire with these fields changed, and requests.

What stands in braces is a field; its default is below. `{field}` of a field that is set to nothing leaves its key out
only in requests: a terminal's text always has all its keys.
"""

import json
import re

SENDER = '"node_id":"{node}","user_uuid":"{user}"'
FIGURES = ('"account":{account},"currency":"{currency}","balance":{balance},"equity":{equity},'
           '"free_margin":{free_margin},"margin_level":{margin_level},"timestamp":"{time}"')
OLD_FIGURES = ('"account":{account},"balance":{balance},"equity":{equity},"free_margin":{free_margin},'
               '"margin_level":{margin_level},"timestamp":"{time}"')
METRICS = ('"currency":"{currency}","balance":{balance},"equity":{equity},"leverage":500,"margin":{margin},'
           '"free_margin":{free_margin},"margin_level":{margin_level}')

TEXTS = {
    "HELLO": '{"type":"HELLO","target_uuid":"{user}","node_id":"{node}","account_login":"{account}","broker":"{server}",'
             '"company":"{company}","terminal":"MetaTrader 5",' + METRICS
             + ',"symbols":1,"version":"{version}","timestamp":"{time}"}',
    "HEARTBEAT": '{"type":"HEARTBEAT","target_uuid":"{user}","node_id":"{node}",' + METRICS
                 + ',"ticks_processed":7,"timestamp":"{time}"}',
    # 2.06H: no node_id, no margin; `positions` is given by the dialogue.
    "POSITIONS": '{"type":"HEARTBEAT","target_uuid":"{user}","user_id":"{user}","account_login":"{account}","broker":'
                 '"{server}","balance":{balance},"equity":{equity},"leverage":500,"currency":"{currency}",'
                 '"ts":{broker_epoch},"open_positions":{open_positions},"positions":[{positions}]}',
    "handshake": '{"type":"handshake","deployment_mode":"universal_dealer",' + SENDER
                 + ',"account":{account},"broker":"{company}","server":"{server}","chart_symbol":"{chart}",'
                 '"monitored_symbols":1,"symbol_list":"{chart}","currency":"{currency}","balance":{balance},'
                 '"equity":{equity},"leverage":500,"version":"{version}","socket_type":"DEALER","timestamp":"{time}"}',
    "heartbeat": '{"type":"heartbeat",' + SENDER + ',"account":{account},"currency":"{currency}","balance":{balance},'
                 '"equity":{equity},"leverage":500,"free_margin":{free_margin},"margin_level":{margin_level},'
                 '"symbols_monitored":1,"ticks_processed":7,"socket_type":"DEALER","timestamp":"{time}"}',
    "TICK": '{"type":"TICK",' + SENDER + ',"symbol":"{chart}","bid":{bid},"ask":{ask},"spread":10.0,"volume":0,'
            '"timestamp":"{time}"}',
    "DISCONNECT": '{"type":"DISCONNECT","deployment_mode":"universal_dealer",' + SENDER
                  + ',"symbols_monitored":1,"ticks_processed":7,"socket_type":"DEALER","timestamp":"{time}"}',
    "confirmation": '{"type":"confirmation","command_type":"{command_type}","fire_id":"{fire_id}",' + SENDER
                    + ',"status":"{status}","ticket":{ticket},"price":{price},"lot":{lot},"message":"{message}",'
                    + FIGURES + "}",
    "close_confirmation": '{"type":"close_confirmation","command_type":"{command_type}",' + SENDER
                          + ',"status":"{status}","ticket":{ticket},"close_price":0.00000,"lot":{lot},"message":'
                          '"{message}",' + FIGURES + "}",
    "confirmation_2.02": '{"type":"confirmation","command_type":"{command_type}",' + SENDER
                         + ',"status":"{status}","ticket":{ticket},"price":{price},"lot":{lot},"message":"{message}",'
                         + OLD_FIGURES + "}",
    "confirmation_2.01": '{"type":"confirmation",' + SENDER + ',"symbol":"{symbol}","status":"{status}",'
                         '"ticket":{ticket},"price":{price},"lot":{lot},"message":"{message}",' + OLD_FIGURES + "}",
    "position_closed": '{"type":"position_closed","uuid":"{user}","ticket":{ticket},"fire_id":"{fire_id}","symbol":'
                       '"{chart}","direction":"{direction}","close_price":{close_price},"close_reason":"{reason}",'
                       '"pnl":{profit},"duration_minutes":1}',
    "own_opened": '{"ticket":{ticket},"symbol":"{chart}","result":"order_opened","type":"buy","volume":{lot},'
                  '"open_price":{price},"sl":1.08000,"tp":0.00000,"open_time":"{time}","magic_number":7176191872,'
                  '"comment":"{fire_id}","account":{account},"currency":"{currency}",' + SENDER
                  + ',"fire_id":"{fire_id}"}',
    "own_closed": '{"ticket":{ticket},"symbol":"{chart}","result":"order_closed","type":"buy","volume":{lot},'
                  '"open_price":{price},"close_price":{close_price},"profit":{profit},"swap":{swap},"commission":'
                  '{commission},"close_time":"{time}","account":{account},"currency":"{currency}",' + SENDER
                  + ',"fire_id":"{fire_id}"}',
    "inferred_opened": '{"result":"order_opened","source":"inferred","witness":"{witness}","user_uuid":"{user}",'
                       '"node_id":"{node}","account":{account},"server":"{server}","ticket":{ticket},"symbol":'
                       '"{chart}","type":"buy","volume":{lot},"open_price":{price},"currency":"{currency}",'
                       '"fire_id":"{fire_id}"}',
    "inferred_closed": '{"result":"order_closed","source":"inferred","witness":"{witness}","user_uuid":"{user}",'
                       '"node_id":"{node}","account":{account},"server":"{server}","ticket":{ticket},"symbol":'
                       '"{chart}","type":"buy","volume":{lot},"close_price":{close_price},"profit":{profit},'
                       '"currency":"{currency}","fire_id":"{fire_id}"}',
    "status_7.01": '{"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",'
                   '"ea_version":"7.01","account":{account},"server":"{server}","timestamp":"{time}"}',
    "trade_result_7.01": '{"type":"trade_result","signal_id":"{fire_id}","status":"{status}","ticket":{ticket},'
                         '"price":{price},"message":"{message}","balance":{balance},"equity":{equity},'
                         '"margin":{margin},"timestamp":"{time}"}',
    "error_7.01": '{"type":"error","signal_id":"{fire_id}","error":"{message}","timestamp":"{time}"}',
}
DEFAULTS = {
    "currency": "USD", "balance": "100000.00", "equity": "100000.00", "margin": "21.70", "free_margin": "99978.30",
    "margin_level": "460829.49", "company": "Dialogue Broker Ltd", "command_type": "fire", "fire_id": "",
    "status": "success", "ticket": "0", "price": "1.08500", "lot": "0.10", "close_price": "1.08490", "profit": "0.00",
    "swap": "0.00", "commission": "0.00", "direction": "BUY", "reason": "MANUAL", "symbol": "EURUSD", "positions": "",
    "open_positions": "0", "bid": "1.08490", "ask": "1.08500", "witness": "positions",
    "message": "Trade executed successfully via DEALER", "version": "2.05",
}
REQUESTS = {
    "fire": {"type": "fire", "user_uuid": "$user", "symbol": "EURUSD", "direction": "BUY", "sl": 1.08, "lot": 0.1},
    "close": {"type": "close", "user_uuid": "$user"}, "close_all": {"type": "close_all", "user_uuid": "$user"},
    "ping": {"type": "ping", "user_uuid": "$user"}, "slots": {"type": "slots", "user_uuid": "$user"},
    "outcome": {"type": "outcome"}, "settle": {"type": "settle", "outcome": "never_executed", "reason": "looked"},
    "withdraw": {"type": "withdraw"}, "brake": {"type": "brake", "reason": "dialogue"},
    "set_user": {"type": "set_user", "user_uuid": "$user"}, "resume": {"type": "resume", "node_id": "$node"},
    "reconciliation": {"type": "reconciliation", "user_uuid": "$user"}, "questions": {"type": "questions"},
    "answer": {"type": "answer", "reason": "looked"}, "node": {"type": "node", "user_uuid": "$user"},
}


def build(name, fields, values):
    """A message's text; `values` are what the terminal itself knows."""
    if name in TEXTS:
        known = {**DEFAULTS, **values, **fields}
        strange = [key for key in fields if "{%s}" % key not in TEXTS[name]]
        if strange:
            raise ValueError(f"@{name} has no field {strange}")
        return re.sub(r"\{([a-z_]+)\}", lambda match: str(known[match[1]]), TEXTS[name])
    request = dict(REQUESTS[name])
    for key, text in fields.items():
        if text == "":
            request.pop(key, None)
        else:
            request[key] = literal(text)
    return json.dumps(request, separators=(",", ":"))


def literal(text):
    try:
        return json.loads(text)
    except ValueError:
        return text
