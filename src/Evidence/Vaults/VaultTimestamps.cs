using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;

namespace Evidence.Vaults;

/// <summary>
/// Time from outside for a vault's ledger: an authority's word (RFC 3161) that a checkpoint existed by then, asked for over the network or by files, and kept with what
/// will be needed to judge it.
/// </summary>
public sealed class VaultTimestamps
{
    private const string Pending = "staging/timestamps/";

    private readonly VaultLedger ledger;
    private readonly VaultAccess access;

    internal VaultTimestamps(VaultLedger ledger, VaultAccess access) => (this.ledger, this.access) = (ledger, access);

    /// <summary>Asks an authority to stamp the newest checkpoint, fetches its revocation data, and keeps the token.</summary>
    /// <param name="authority">The authority's address.</param>
    /// <param name="client">How to reach it.</param>
    /// <param name="policy">The policy to ask for; null for the authority's own choice.</param>
    /// <param name="brought">Certificates and revocation lists to be kept with it, and to complete its chain; files as <see cref="TrustedAuthorities.Load"/> takes them.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">
    /// The authority did not answer (<see cref="ErrorCode.TimestampUnavailable"/>), or refused, or its answer does not hold (<see cref="ErrorCode.TimestampRefused"/>): then
    /// nothing is kept.
    /// </exception>
    public async Task<TakenTimestamp> AskAsync(
        Uri authority, TimestampClient client, string? policy = null, IReadOnlyList<string>? brought = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(authority);
        ArgumentNullException.ThrowIfNull(client);
        ledger.EnsureKeys();
        var authorities = TrustedAuthorities.Load(brought ?? []);
        byte[] note = Newest();
        var request = TimestampRequest.Create(note, policy);
        byte[] reply = await client.AskAsync(authority, request, cancellation).ConfigureAwait(false);
        return await KeepAsync(note, TimestampReply.Open(request, reply), authorities, client, authority.ToString(), cancellation).ConfigureAwait(false);
    }

    /// <summary>Makes a question over the newest checkpoint to be carried to an authority as a file. What is needed to take its answer in is kept in staging.</summary>
    /// <param name="policy">The policy to ask for; null for the authority's own choice.</param>
    /// <returns>The question as DER, as <c>openssl ts -reply -queryfile</c> and others take it.</returns>
    public byte[] Request(string? policy = null)
    {
        ledger.EnsureKeys();
        byte[] note = Newest();
        var request = TimestampRequest.Create(note, policy);
        byte[] der = request.Encode();
        _ = ledger.Storage.TryCreate(PendingName(request.Imprint), CanonicalJson.Serialize(new JsonObject
        {
            ["note"] = Convert.ToBase64String(note),
            ["request"] = Convert.ToBase64String(der),
        }));
        // The same checkpoint asked for twice: the first question stands, so that either answer finds its nonce.
        return Find(request.Imprint).Request.Encode();
    }

    /// <summary>Takes an authority's answer in that came as a file. Nothing is fetched.</summary>
    /// <param name="reply">The answer, DER.</param>
    /// <param name="brought">As with <see cref="AskAsync"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">It answers no question that waits here, or does not hold (<see cref="ErrorCode.TimestampRefused"/>): then nothing is kept.</exception>
    public async Task<TakenTimestamp> AcceptAsync(ReadOnlyMemory<byte> reply, IReadOnlyList<string>? brought = null, CancellationToken cancellation = default)
    {
        ledger.EnsureKeys();
        var authorities = TrustedAuthorities.Load(brought ?? []);
        ReadOnlyMemory<byte> imprint = TimestampReply.Decode(TimestampReply.ReadToken(reply)).Info.GetMessageHash();
        (byte[] note, TimestampRequest request) = Find(imprint);
        TakenTimestamp taken = await KeepAsync(note, TimestampReply.Open(request, reply), authorities, null, null, cancellation).ConfigureAwait(false);
        ledger.Storage.Delete(PendingName(imprint));
        return taken;
    }

    /// <summary>All time stamps that are kept, each judged as of its own time.</summary>
    /// <param name="trust">What the verifier brings; null for what the user's key store trusts.</param>
    public IReadOnlyList<KeptTimestamp> List(TrustedAuthorities? trust = null) =>
        LedgerTimestamps.Judge(ledger.Storage, ledger.Open(), ledger.Keys(), trust ?? Trust());

    /// <summary>Between which instants entries came into the ledger, by the time stamps that are kept, and by witnesses.</summary>
    /// <param name="witnessing">How far witnesses vouch for the ledger.</param>
    /// <param name="trust">As with <see cref="List"/>.</param>
    public TimeBounds Bounds(LedgerWitnessing witnessing, TrustedAuthorities? trust = null)
    {
        ArgumentNullException.ThrowIfNull(witnessing);
        KeptTimestamp[] counting = [.. List(trust).Where(kept => kept.Counts)];
        IEnumerable<NamedTime> named =
            from judged in ledger.Entries()
            where judged.Entry is { } entry && string.Equals(entry.Payload.Kind, EntryKind.Timestamp, StringComparison.Ordinal)
            let file = TimestampDocument.FileOf(judged.Entry!.Payload)
            from kept in counting
            where string.Equals(kept.File, file, StringComparison.Ordinal)
            select new NamedTime(judged.Index, kept.Verdict!.NotBefore);
        return new TimeBounds(witnessing.ProvedTimes.With(LedgerTimestamps.Proved(counting)), named);
    }

    private TrustedAuthorities Trust() => access.Keys?.LoadAuthorities() ?? TrustedAuthorities.None;

    private byte[] Newest() => ledger.Open().SignedNote.ToArray();

    private async Task<TakenTimestamp> KeepAsync(
        byte[] note, byte[] token, TrustedAuthorities brought, TimestampClient? client, string? source, CancellationToken cancellation)
    {
        TrustedAuthorities trust = Trust().With(brought);
        var bare = new TimestampDocument { Note = note, Token = token, Certificates = [.. trust.Anchors], Lists = [], Lacking = [], Source = source };
        TimestampDocument document = await TimestampCheck.CompleteAsync(bare, trust, client, cancellation).ConfigureAwait(false);
        if (document.Excess is { } excess)
            throw new EvidenceException(ErrorCode.TimestampRefused, $"The token cannot be kept: {excess}.");
        // What was brought completes a chain; it is trusted only where it is said so.
        TimestampVerdict verdict = TimestampCheck.Run(document, Trust());
        if (verdict.Refusal is not null)
            throw new EvidenceException(ErrorCode.TimestampRefused, $"{verdict} Nothing was kept.");
        byte[] bytes = document.Encode();
        if (bytes.Length > TimestampDocument.LargestSize)
            throw new EvidenceException(ErrorCode.TimestampRefused, $"The token has {bytes.Length} bytes with its revocation data, more than the {TimestampDocument.LargestSize} that can be kept.");
        var digest = Sha256Digest.Compute(bytes);
        _ = ledger.Storage.TryCreate(TimestampDocument.NameOf(digest), bytes);
        return new TakenTimestamp(TimestampDocument.NameOf(digest), verdict, document.Lacking, ledger.Record(EntryKind.Timestamp, [], null, TimestampRecord.Encode(digest, verdict)));
    }

    private (byte[] Note, TimestampRequest Request) Find(ReadOnlyMemory<byte> imprint)
    {
        string name = PendingName(imprint);
        if (ledger.Storage.TryRead(name, 1 << 20) is not { } bytes)
        {
            throw new EvidenceException(
                ErrorCode.TimestampRefused,
                $"The answer is over {Convert.ToHexStringLower(imprint.Span)}, and no question over that waits in this vault: 'evidence timestamp request' makes one.");
        }

        try
        {
            JsonObject fields = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The question");
            return (fields.RequireBase64("note"), TimestampRequest.Decode(fields.RequireBase64("request")));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.LedgerDamaged, $"The question in ledger/{name} is damaged: {e.Message} Remove it, and make another one.", e);
        }
    }

    private static string PendingName(ReadOnlyMemory<byte> imprint) => $"{Pending}{Convert.ToHexStringLower(imprint.Span)}.json";
}

/// <summary>A time stamp that was taken and kept.</summary>
/// <param name="File">Its file, below <c>ledger/</c>.</param>
/// <param name="Verdict">What it says and is worth.</param>
/// <param name="Lacking">Of which certificates no revocation data could be had, and why.</param>
/// <param name="Entry">The index of the entry that names it; null where that waits in staging.</param>
public sealed record TakenTimestamp(string File, TimestampVerdict Verdict, IReadOnlyList<string> Lacking, long? Entry);

/// <summary>The body of a <see cref="EntryKind.Timestamp"/> entry. The token is what proves; the entry is there so that nobody takes the token away unseen.</summary>
internal static class TimestampRecord
{
    internal static JsonObject Encode(Sha256Digest document, TimestampVerdict verdict) => new()
    {
        ["authority"] = verdict.Authority,
        ["document"] = document.ToString(),
        ["genTime"] = Timestamps.Format(verdict.Time),
        ["policy"] = verdict.Policy,
        ["root"] = verdict.Checkpoint.Root.ToString(),
        ["serial"] = verdict.Serial,
        ["size"] = DecimalText.Format(verdict.Checkpoint.Size),
    };

    /// <summary>How what an entry says of a time stamp differs from what the token says; nothing where it does not.</summary>
    internal static IEnumerable<string> Differences(EntryPayload payload, TimestampVerdict verdict)
    {
        foreach ((string name, string said) in ((string, string)[])
            [
                ("size", DecimalText.Format(verdict.Checkpoint.Size)), ("root", verdict.Checkpoint.Root.ToString()), ("genTime", Timestamps.Format(verdict.Time)),
                ("policy", verdict.Policy), ("serial", verdict.Serial), ("authority", verdict.Authority),
            ])
        {
            // Whose a token is whose signature does not hold, nobody can say.
            if (name is "authority" && verdict.Refusal is not null)
                continue;
            string? claimed = payload.Body[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
            if (!string.Equals(claimed, said, StringComparison.Ordinal))
                yield return $"its {name} is {(claimed is null ? "not given" : $"'{claimed}'")}, the token's is '{said}'";
        }
    }
}
