"""What the engines share that generate, whether in process or on a server: the size that is asked of a model, reading
the film that comes back, exact first and last frames, missing sound, and the life of a job on a server.

    engine      GeneratingEngine: plan and render around a Generator; read it first
    order       Order: what is asked of a model
    footage     Footage: what comes back
    canvas      the size that a model makes for a canvas of the contract
    film        a file from outside as frames at 24 fps and sound at 48 kHz
    pins        the clip begins and ends on the pictures
    sound       sound that fits the frames, and sound for a film that has none
    prompt      the words that a model is given
    server      one server: calls bounded in time and size, over connections; answers reads what it says
    remote      one job on a server: remembered, adopted, watched, cancelled
    refusals    which words of a server mean that it will not make this content
    paid        clips by a provider for money, none paid for twice; beside it cost, contract_orders, paid_check
    settings    settings that these engines share; server_settings: those of engines with a server
"""
