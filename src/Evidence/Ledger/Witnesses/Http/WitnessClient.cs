using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Evidence.Canonical;
using Evidence.Platform;

namespace Evidence.Ledger.Witnesses.Http;

/// <summary>How witnesses are asked over HTTP.</summary>
public sealed record WitnessClientOptions
{
    /// <summary>How often a witness that cannot be reached, or fails, is asked in all.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>How long to wait before the second time; twice as long before each further one.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long all of it may take, with all attempts; null where only those bound it.</summary>
    public TimeSpan? Longest { get; init; }
}

/// <summary>What came of asking one witness.</summary>
/// <param name="Witness">The witness.</param>
/// <param name="Cosigned">Whether it cosigned.</param>
/// <param name="Status">The last HTTP status; null where it could not be reached.</param>
/// <param name="Detail">In words.</param>
public sealed record WitnessReply(PolicyWitness Witness, bool Cosigned, int? Status, string Detail)
{
    /// <summary>
    /// Where the witness says that the log is forked, or was set back: what proves it, if its last checkpoint does. Null else.
    /// </summary>
    public WitnessConflict? Conflict { get; init; }
}

/// <summary>What came of asking the witnesses of a policy.</summary>
/// <param name="Checkpoint">The checkpoint that they were asked for.</param>
/// <param name="Replies">What came of each.</param>
/// <param name="Verdict">What the policy says of the checkpoint now.</param>
public sealed record AskedWitnesses(Checkpoint Checkpoint, IReadOnlyList<WitnessReply> Replies, PolicyVerdict Verdict);

/// <summary>Asks witnesses over HTTP (c2sp.org/tlog-witness), all of a policy at once, each until it answers or was asked often enough.</summary>
internal sealed class WitnessClient : IDisposable
{
    /// <summary>How often a witness may name another size that it cosigned last: other askers of the same log may be at work.</summary>
    private const int MostConflicts = 4;

    private readonly HttpClient http;
    private readonly WitnessClientOptions options;

    internal WitnessClient(WitnessClientOptions options)
    {
        this.options = options;
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            Timeout = options.Timeout,
            MaxResponseContentBufferSize = SignedNote.MaximumLength,
        };
    }

    /// <summary>Asks witnesses, all at once, and keeps their cosignatures.</summary>
    internal async Task<WitnessReply[]> AskAllAsync(WitnessExchange exchange, IReadOnlyList<PolicyWitness> witnesses, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (options.Longest is { } longest)
            limit.CancelAfter(longest);
        return await Task.WhenAll(witnesses.Select(AskOneAsync)).ConfigureAwait(false);

        async Task<WitnessReply> AskOneAsync(PolicyWitness witness)
        {
            try
            {
                return await AskAsync(exchange, witness, limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return Unanswered(witness, options.Longest!.Value);
            }
        }
    }

    /// <summary>Asks one witness, and keeps its cosignature.</summary>
    internal async Task<WitnessReply> AskAsync(WitnessExchange exchange, PolicyWitness witness, CancellationToken cancellation)
    {
        if (witness.Url is not { } url)
            return new WitnessReply(witness, false, null, "The policy names no URL. Ask it by file: evidence witness request");
        string prefix = url.TrimEnd('/');
        var address = new Uri($"{prefix}/add-checkpoint");
        long old = exchange.LastSizeOf(witness);
        for (int conflicts = 0; ; conflicts++)
        {
            byte[] request = exchange.Request(old);
            Answer answer;
            try
            {
                answer = await SendAsync(() => Post(address, request), cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (HttpFailure.IsOfConnection(e))
            {
                return new WitnessReply(witness, false, null, $"{address} cannot be reached: {e.Message}");
            }
            catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return Unanswered(witness, options.Timeout);
            }

            if (answer.Status is HttpStatusCode.Conflict && answer.RecordedSize is { } recorded && recorded != old && recorded <= exchange.Checkpoint.Size && conflicts < MostConflicts)
            {
                old = recorded;
                continue;
            }

            WitnessReply reply = Conclude(exchange, witness, old, answer, cancellation);
            return answer.Status == HttpStatusCode.UnprocessableEntity || answer.RecordedSize > exchange.Checkpoint.Size
                ? await ProveAsync(exchange, reply, new Uri($"{prefix}/{WitnessState.HashOf(exchange.Checkpoint.Origin)}/checkpoint"), cancellation).ConfigureAwait(false)
                : reply;
        }
    }

    /// <summary>Asks a witness for what proves that it is right to refuse.</summary>
    private async Task<WitnessReply> ProveAsync(WitnessExchange exchange, WitnessReply reply, Uri address, CancellationToken cancellation)
    {
        try
        {
            Answer answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, address), cancellation).ConfigureAwait(false);
            (WitnessConflict? conflict, string says) = answer.Status == HttpStatusCode.OK
                ? exchange.Examine(answer.Body)
                : (null, string.Create(CultureInfo.InvariantCulture, $"Its last checkpoint is not to be had ({address} answers {(int)answer.Status}), so nothing proves that."));
            return reply with { Detail = $"{reply.Detail} {says}", Conflict = conflict };
        }
        catch (Exception e) when (HttpFailure.IsOfConnection(e) || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            return reply with { Detail = $"{reply.Detail} Its last checkpoint is not to be had ({address}: {e.Message.TrimEnd('.')}), so nothing proves that." };
        }
    }

    private static WitnessReply Unanswered(PolicyWitness witness, TimeSpan after) =>
        new(witness, false, null, $"{witness.Url} did not answer in {after.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");

    private static WitnessReply Conclude(WitnessExchange exchange, PolicyWitness witness, long old, Answer answer, CancellationToken cancellation)
    {
        if (answer.Status != HttpStatusCode.OK)
            return new WitnessReply(witness, false, (int)answer.Status, Explain(exchange, old, answer));
        try
        {
            _ = exchange.Keep(exchange.Verify(answer.Body, witness), cancellation);
            return new WitnessReply(witness, true, 200, "It cosigned.");
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.WitnessFailed, StringComparison.Ordinal))
        {
            return new WitnessReply(witness, false, 200, e.Message);
        }
    }

    private static string Explain(WitnessExchange exchange, long old, Answer answer)
    {
        string said = answer.Text.Length > 0 ? $" It says: {answer.Text}" : "";
        long size = exchange.Checkpoint.Size;
        return answer.Status switch
        {
            HttpStatusCode.BadRequest => $"It found the request malformed.{said}",
            HttpStatusCode.Forbidden => $"It trusts none of the keys that signed this log's checkpoint, or found a signature wrong. Give its keeper the log's keys.{said}",
            HttpStatusCode.NotFound => $"It does not know this log, or nothing is at that URL. Give its keeper the log's keys.{said}",
            HttpStatusCode.Conflict => answer.RecordedSize is { } recorded && recorded > size
                ? string.Create(CultureInfo.InvariantCulture, $"It cosigned {recorded} entries of this log. ") + WitnessExchange.Ahead(size)
                : $"It remembers another size again and again: others ask it for the same log. Try later.{said}",
            HttpStatusCode.UnprocessableEntity => string.Create(
                CultureInfo.InvariantCulture, $"It does not find that the {size} entries begin with the {old} that it cosigned: the log it saw had another history.") + said,
            _ => string.Create(CultureInfo.InvariantCulture, $"It answered with status {(int)answer.Status}.") + said,
        };
    }

    /// <summary>Asks until there is an answer that another attempt would not change.</summary>
    private async Task<Answer> SendAsync(Func<HttpRequestMessage> compose, CancellationToken cancellation)
    {
        TimeSpan delay = options.FirstDelay;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Answer answer = await SendOnceAsync(compose, cancellation).ConfigureAwait(false);
                if (attempt >= options.Attempts || !MayPass(answer.Status))
                    return answer;
            }
            catch (Exception e) when (attempt < options.Attempts && !cancellation.IsCancellationRequested && (HttpFailure.IsOfConnection(e) || e is TaskCanceledException))
            {
                // It is asked again.
            }

            await Task.Delay(delay, cancellation).ConfigureAwait(false);
            delay *= 2;
        }
    }

    private static HttpRequestMessage Post(Uri address, byte[] request)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(request) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        return message;
    }

    private async Task<Answer> SendOnceAsync(Func<HttpRequestMessage> compose, CancellationToken cancellation)
    {
        using HttpRequestMessage message = compose();
        using HttpResponseMessage response = await http.SendAsync(message, cancellation).ConfigureAwait(false);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        return new Answer(response.StatusCode, response.Content.Headers.ContentType?.MediaType, body);
    }

    private static bool MayPass(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)status >= 500;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private sealed record Answer(HttpStatusCode Status, string? ContentType, byte[] Body)
    {
        /// <summary>A sentence of the witness's, cut short: it is another party's text.</summary>
        public string Text
        {
            get
            {
                string text = System.Text.Encoding.UTF8.GetString(Body).Trim();
                return text.Length <= 300 ? text : text[..300] + "…";
            }
        }

        /// <summary>The size that a 409 tells; null where it tells none.</summary>
        public long? RecordedSize => string.Equals(ContentType, WitnessAnswer.SizeType, StringComparison.Ordinal) && Body is [.., (byte)'\n'] &&
            DecimalText.TryParse(System.Text.Encoding.ASCII.GetString(Body.AsSpan(0, Body.Length - 1)), out long size)
            ? size
            : null;
    }
}
