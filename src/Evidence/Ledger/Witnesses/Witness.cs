using System.Globalization;
using Evidence.Platform;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>
/// A witness (c2sp.org/tlog-witness): cosigns a log's checkpoint when it follows the last one that it cosigned, and keeps that one. What checks and what records is
/// one step, durable before the answer. Safe for several threads.
/// </summary>
public sealed class Witness : IDisposable
{
    private readonly WitnessKey key;
    private readonly WitnessState state;
    private readonly Dictionary<string, KnownLog> logs;
    private readonly Dictionary<string, KnownLog> logsByHash;
    private readonly IClock clock;
    private readonly ILogger logger;

    private Witness(WitnessKey key, WitnessState state, Dictionary<string, KnownLog> logs, IClock clock, ILogger logger)
    {
        this.key = key;
        this.state = state;
        this.logs = logs;
        logsByHash = logs.Values.ToDictionary(log => WitnessState.HashOf(log.Origin), StringComparer.Ordinal);
        this.clock = clock;
        this.logger = logger;
    }

    /// <summary>The witness's public key.</summary>
    public VerifierKey Key => key.VerifierKey;

    /// <summary>The origins of the logs that it knows.</summary>
    public IReadOnlyCollection<string> Origins => logs.Keys;

    /// <summary>Opens a witness.</summary>
    /// <param name="keys">Where its key is, and where it is remembered which folder is the key's.</param>
    /// <param name="name">The name of its key; see <see cref="KeyStore.CreateWitness"/>.</param>
    /// <param name="folder">Where it keeps what it signed. One process at a time, and always the same one.</param>
    /// <param name="logKeys">The keys of the logs that it knows; a key's name is its log's origin.</param>
    /// <param name="clock">Where the times of cosignatures come from; null for the system's.</param>
    /// <param name="logger">Hears of conflicts.</param>
    /// <exception cref="EvidenceException">
    /// There is no such key, the folder is in use or another witness's, or something in it is damaged.
    /// </exception>
    public static Witness Open(
        KeyStore keys, string name, string folder, IReadOnlyCollection<VerifierKey> logKeys, IClock? clock = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(logKeys);
        if (logKeys.FirstOrDefault(log => log.IsWitness) is { } wrong)
            throw new EvidenceException(ErrorCode.Usage, $"{wrong} is a witness's key, not a log's.");
        Dictionary<string, KnownLog> known = logKeys.GroupBy(log => log.Name, StringComparer.Ordinal)
            .ToDictionary(log => log.Key, log => new KnownLog(log.Key, [.. log.Distinct()]), StringComparer.Ordinal);
        WitnessKey signer = keys.LoadWitness(name);
        WitnessState? kept = null;
        try
        {
            kept = WitnessState.Open(folder, signer.VerifierKey, origin => known[origin].Keys);
            keys.ClaimWitnessState(name, kept.Folder);
            // Damage is told before anybody asks.
            foreach (string origin in known.Keys)
                _ = kept.Find(origin);
            return new Witness(signer, kept, known, clock ?? SystemClock.Instance, logger ?? NullLogger.Instance);
        }
        catch
        {
            kept?.Dispose();
            signer.Dispose();
            throw;
        }
    }

    /// <summary>Answers <c>add-checkpoint</c>.</summary>
    /// <param name="body">The request's body.</param>
    /// <exception cref="EvidenceException">What was signed cannot be read or kept: nothing is answered then.</exception>
    public WitnessAnswer AddCheckpoint(ReadOnlySpan<byte> body)
    {
        AddCheckpointRequest request;
        try
        {
            request = AddCheckpointRequest.Parse(body);
        }
        catch (FormatException e)
        {
            return WitnessAnswer.Refused(WitnessAnswer.BadRequest, e.Message);
        }

        KnownLog? log = logs.GetValueOrDefault(request.Checkpoint.Origin);
        if (WitnessRules.Refuse(request, log?.Keys ?? [], out NoteVerdict signed) is { } refused)
            return refused;
        lock (log!.Turn)
            return CheckAndRecord(request, signed);
    }

    /// <summary>Answers a request that came as a file, by a file: for a machine without a network.</summary>
    /// <param name="request">The request's file.</param>
    /// <param name="answer">The answer's; what was there is replaced. It is written where there are cosignatures, and where the log must ask again from another size.</param>
    /// <exception cref="EvidenceException">
    /// The request is refused (<see cref="ErrorCode.WitnessFailed"/>), or a file cannot be read or written. Then no answer is written.
    /// </exception>
    public WitnessAnswer AnswerFile(string request, string answer)
    {
        WitnessAnswer answered = AddCheckpoint(SmallFile.Read(request, AddCheckpointRequest.MaximumLength));
        if (answered.Status is not (200 or WitnessAnswer.Conflict))
            throw new EvidenceException(ErrorCode.WitnessFailed, $"The request {request} is refused ({answered.Status.ToString(CultureInfo.InvariantCulture)}): {answered.Text.TrimEnd()}");
        DurableFile.Replace(Path.GetFullPath(answer), answered.Body.Span);
        return answered;
    }

    /// <summary>The last checkpoint that was cosigned of a log.</summary>
    /// <param name="originHash">The SHA-256 of its origin, in lower-case hexadecimal.</param>
    /// <returns>200 with the note, or 404.</returns>
    /// <exception cref="EvidenceException">What was signed cannot be read.</exception>
    public WitnessAnswer GetCheckpoint(string originHash)
    {
        if (logsByHash.TryGetValue(originHash, out KnownLog? log))
        {
            lock (log.Turn)
            {
                if (state.Find(log.Origin) is { } recorded)
                    return WitnessAnswer.Ok(recorded.Note);
            }
        }

        return WitnessAnswer.Refused(WitnessAnswer.NotFound, "This witness cosigned nothing of that log.");
    }

    /// <summary>The one step that must not be two: nobody else checks this log until what was checked is recorded.</summary>
    private WitnessAnswer CheckAndRecord(AddCheckpointRequest request, NoteVerdict signed)
    {
        Checkpoint checkpoint = request.Checkpoint;
        CosignedCheckpoint? last = state.Find(checkpoint.Origin);
        Checkpoint? recorded = last?.Checkpoint;
        if (recorded is not null && WitnessRules.IsFork(recorded, checkpoint))
            KeepConflict(request, signed);
        if (WitnessRules.Refuse(request, recorded) is { } refused)
            return refused;
        var now = clock.GetCurrentInstant();
        // Of a clock that was set back: a larger checkpoint must not be from before a smaller one.
        NoteSignature cosignature = key.Cosign(request.Note.Text, last is null ? now : Instant.Max(last.Time, now));
        state.Record(checkpoint.Origin, SignedNote.Write(request.Note.Text, [.. OfLog(request.Note, signed), cosignature]));
        return WitnessAnswer.Ok(cosignature.ToLine());
    }

    private void KeepConflict(AddCheckpointRequest request, NoteVerdict signed)
    {
        Checkpoint checkpoint = request.Checkpoint;
        try
        {
            if (state.KeepConflict(checkpoint.Origin, SignedNote.Write(request.Note.Text, OfLog(request.Note, signed))) is { } path)
                Log.WitnessConflict(logger, checkpoint.Origin, checkpoint.Size, path);
        }
        catch (EvidenceException e)
        {
            // It is refused all the same, which matters more.
            Log.WitnessConflictNotKept(logger, checkpoint.Origin, checkpoint.Size, e);
        }
    }

    /// <summary>The signature lines that were verified as the log's, one for each key: of others, and of many, nothing is kept or passed on.</summary>
    private static IEnumerable<NoteSignature> OfLog(SignedNote note, NoteVerdict signed) =>
        note.Signatures.Where(line => signed.Verified.Any(key => key.Matches(line))).DistinctBy(line => (line.KeyName, line.KeyId));

    /// <inheritdoc/>
    public void Dispose()
    {
        state.Dispose();
        key.Dispose();
    }

    /// <summary>A log that the witness knows.</summary>
    private sealed record KnownLog(string Origin, IReadOnlyList<VerifierKey> Keys)
    {
        /// <summary>Held by whoever checks and records.</summary>
        internal Lock Turn { get; } = new();
    }
}
