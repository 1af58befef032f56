using System.Security.Cryptography;
using System.Text;
using Evidence.Canonical;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;
using Evidence.Platform;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>
/// Has ledgers cosigned while their writer goes on: after an append the witnesses of the user's own policy are asked over HTTP, for a few seconds at most. One that
/// could not be reached is left alone for a while, so that a dead network costs that time once and not with each entry. Nothing else waits for it, and nothing that
/// goes wrong here undoes an entry.
/// </summary>
/// <remarks>Set <see cref="VaultAccess.Appended"/> to <see cref="Ask"/>, and call <see cref="FinishAsync"/> before the program ends.</remarks>
public sealed class BackgroundWitnessing : IAsyncDisposable
{
    private readonly VaultAccess access;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock sync = new();
    private readonly Queue<VaultLedger> waiting = new();
    private readonly Dictionary<string, WitnessingOutcome> outcomes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Instant> unreached = new(StringComparer.Ordinal);
    private Task working = Task.CompletedTask;

    /// <summary>Asks nobody yet.</summary>
    /// <param name="access">Whose policy it is (<see cref="VaultAccess.Keys"/>), and where is kept who could not be reached (<see cref="VaultAccess.CacheFolder"/>).</param>
    public BackgroundWitnessing(VaultAccess access)
    {
        ArgumentNullException.ThrowIfNull(access);
        this.access = access;
    }

    /// <summary>How witnesses are asked.</summary>
    public WitnessClientOptions Options { get; init; } = new()
    {
        Attempts = 3,
        FirstDelay = TimeSpan.FromMilliseconds(200),
        Timeout = TimeSpan.FromSeconds(3),
        Longest = TimeSpan.FromSeconds(5),
    };

    /// <summary>How long a witness is left alone that could not be reached.</summary>
    public Duration Pause { get; init; } = Duration.FromMinutes(2);

    /// <summary>Asks for a ledger as it is now, and returns at once.</summary>
    /// <param name="ledger">The ledger. It is read again when its turn comes: what was appended meanwhile is cosigned as well.</param>
    public void Ask(VaultLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        lock (sync)
        {
            if (waiting.Any(other => string.Equals(other.Folder, ledger.Folder, StringComparison.Ordinal)))
                return;
            waiting.Enqueue(ledger);
            if (working.IsCompleted)
                working = Task.Run(WorkAsync);
        }
    }

    /// <summary>Waits for what was asked.</summary>
    /// <param name="cancellation">Ends the asking. What was answered by then is kept.</param>
    /// <returns>The last outcome of each ledger; of one for which there is nobody to be asked, none.</returns>
    public async Task<IReadOnlyList<WitnessingOutcome>> FinishAsync(CancellationToken cancellation = default)
    {
        using CancellationTokenRegistration registration = cancellation.Register(stop.Cancel);
        Task last;
        lock (sync)
            last = working;
        await last.ConfigureAwait(false);
        lock (sync)
            return [.. outcomes.Values];
    }

    /// <summary>Ends the asking.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await working.ConfigureAwait(false);
        stop.Dispose();
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            VaultLedger? ledger;
            lock (sync)
            {
                if (!waiting.TryDequeue(out ledger))
                {
                    // Whoever comes now finds that nobody works, and begins anew.
                    working = Task.CompletedTask;
                    return;
                }
            }

            if (await AskOnceAsync(ledger).ConfigureAwait(false) is { } outcome)
            {
                lock (sync)
                    outcomes[ledger.Folder] = outcome;
            }
        }
    }

    private async Task<WitnessingOutcome?> AskOnceAsync(VaultLedger ledger)
    {
        try
        {
            if (access.Keys?.FindPolicy() is not { } policy || (policy.Logs.Count > 0 && policy.KeysOf(ledger.Origin).Count == 0))
                return null;
            PolicyWitness[] witnesses = [.. policy.Witnesses.Where(witness => witness.Url is not null && !IsLeftAlone(witness))];
            if (witnesses.Length == 0)
                return null;
            AskedWitnesses asked = await new VaultWitnesses(ledger, access).AskAsync(policy, witnesses, Options, stop.Token).ConfigureAwait(false);
            foreach (WitnessReply reply in asked.Replies)
                Remember(reply);
            return new WitnessingOutcome(ledger, asked, null);
        }
        catch (EvidenceException e)
        {
            return new WitnessingOutcome(ledger, null, e);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private bool IsLeftAlone(PolicyWitness witness)
    {
        Instant? since = unreached.TryGetValue(witness.Url!, out Instant known) ? known : ReadMark(witness);
        Instant now = access.Clock.GetCurrentInstant();
        // A clock that was set back leaves nobody alone for longer.
        return since <= now && now - since < Pause;
    }

    private void Remember(WitnessReply reply)
    {
        string url = reply.Witness.Url!;
        if (reply.Status is null)
            unreached[url] = access.Clock.GetCurrentInstant();
        else
            unreached.Remove(url);
        try
        {
            if (MarkOf(reply.Witness) is not { } path)
                return;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (unreached.TryGetValue(url, out Instant instant))
                File.WriteAllText(path, Timestamps.Format(instant));
            else
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is a cache: without it somebody is asked once more.
        }
    }

    private Instant? ReadMark(PolicyWitness witness)
    {
        try
        {
            return MarkOf(witness) is { } path && SmallFile.TryRead(path, 64) is { } text ? Timestamps.Parse(Encoding.UTF8.GetString(text)) : null;
        }
        catch (Exception e) when (e is EvidenceException or FormatException)
        {
            // Likewise.
            return null;
        }
    }

    private string? MarkOf(PolicyWitness witness) => access.CacheFolder is { } cache
        ? Path.Combine(cache, "unreached", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(witness.Url!))))
        : null;
}

/// <summary>What came of asking the witnesses for a ledger.</summary>
/// <param name="Ledger">The ledger.</param>
/// <param name="Asked">What they answered; null where they could not be asked.</param>
/// <param name="Failure">Why they could not be; null where they were.</param>
public sealed record WitnessingOutcome(VaultLedger Ledger, AskedWitnesses? Asked, EvidenceException? Failure);
