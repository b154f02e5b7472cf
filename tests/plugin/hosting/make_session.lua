-- Makes an Ardour session with one track that plays through one plug-in, and saves it.
-- Arguments: folder, sample rate, URI or identifier of the plug-in, LV2 or VST3, channels of the track,
-- seconds to wait for a latency.
local folder, rate, id, kind, channels, patience = table.unpack(arg)
local session = create_session(folder, "session", tonumber(rate))
assert(session, "no session")
local tracks = session:new_audio_track(tonumber(channels), 2, nil, 1, "guitar",
  ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
local track = tracks:front()
track:panner_shell():set_bypassed(true)
local plugin = ARDOUR.LuaAPI.new_plugin(session, id, ARDOUR.PluginType[kind], "")
assert(not plugin:isnil(), "no such plug-in: " .. id)
assert(track:add_processor_by_index(plugin, 0, nil, true) == 0, "the plug-in does not fit the track")
-- It is known once the plug-in has run; none at all looks like one that has not.
for _ = 1, 2 * tonumber(patience) do
  sleep(0.5)
  if plugin:signal_latency() > 0 then break end
end
print("latency: " .. plugin:signal_latency())
session:save_state("")
close_session()
