using System.Net;
using System.Net.Http.Headers;
using Evidence.Platform;

namespace Evidence.Ledger.Timestamping;

/// <summary>Asks authorities over HTTP (RFC 3161, section 3.4), and fetches the revocation lists that their certificates name.</summary>
public sealed class TimestampClient : IDisposable
{
    /// <summary>The most bytes of an answer that are read.</summary>
    public const int LargestReply = 1 << 20;

    private readonly HttpClient http;

    /// <summary>Makes a client.</summary>
    /// <param name="handler">How to reach the network; null for the ordinary way, with the proxy that the environment names. It is disposed with the client.</param>
    public TimestampClient(HttpMessageHandler? handler = null) =>
        http = new HttpClient(handler ?? new SocketsHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>How long one try may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often an authority is asked that does not answer, or says that it is out of order: 1 or more.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>The pause before the second try; it doubles with each further one.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Asks an authority.</summary>
    /// <param name="authority">Its address, of scheme <c>http</c> or <c>https</c>.</param>
    /// <param name="request">The question.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The answer as it came, not judged.</returns>
    /// <exception cref="EvidenceException">There was no answer (<see cref="ErrorCode.TimestampUnavailable"/>).</exception>
    public Task<byte[]> AskAsync(Uri authority, TimestampRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Demand(authority);
        byte[] query = request.Encode();
        return SendAsync(
            authority,
            () =>
            {
                var message = new HttpRequestMessage(HttpMethod.Post, authority) { Content = new ByteArrayContent(query) };
                message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/timestamp-query");
                message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/timestamp-reply"));
                return message;
            },
            "application/timestamp-reply",
            LargestReply,
            cancellation);
    }

    /// <summary>Fetches a file, such as a revocation list.</summary>
    /// <exception cref="EvidenceException">It could not be had (<see cref="ErrorCode.TimestampUnavailable"/>).</exception>
    internal Task<byte[]> FetchAsync(Uri address, int largest, CancellationToken cancellation)
    {
        Demand(address);
        return SendAsync(address, () => new HttpRequestMessage(HttpMethod.Get, address), null, largest, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private static void Demand(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw new EvidenceException(ErrorCode.Usage, $"'{address}' is no address of a time-stamp authority such as http://tsa.example/.");
    }

    private async Task<byte[]> SendAsync(Uri address, Func<HttpRequestMessage> compose, string? mediaType, int largest, CancellationToken cancellation)
    {
        string reason = "";
        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            if (attempt > 1)
                await Task.Delay(Pause * (1 << Math.Min(attempt - 2, 10)), cancellation).ConfigureAwait(false);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            try
            {
                using HttpRequestMessage message = compose();
                using HttpResponseMessage response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
                reason = $"it answered {(int)response.StatusCode} {response.ReasonPhrase}";
                if (response.StatusCode is >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests)
                    continue;
                if (response.StatusCode != HttpStatusCode.OK)
                    break;
                if (mediaType is not null && !string.Equals(response.Content.Headers.ContentType?.MediaType, mediaType, StringComparison.OrdinalIgnoreCase))
                {
                    reason = $"it answered with {response.Content.Headers.ContentType?.MediaType ?? "no content type"}, not with {mediaType}";
                    break;
                }

                return await ReadAsync(response, largest, patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                reason = $"it did not answer within {Patience.TotalSeconds:0.#} s";
            }
            catch (Exception e) when (HttpFailure.IsOfConnection(e))
            {
                reason = e.Message.TrimEnd('.');
            }
        }

        throw new EvidenceException(ErrorCode.TimestampUnavailable, $"Nothing was had from {address}: {reason}.");
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, int largest, CancellationToken cancellation)
    {
        Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var content = new MemoryStream();
            var buffer = new byte[1 << 14];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            {
                content.Write(buffer, 0, read);
                if (content.Length > largest)
                    throw new IOException($"it answered with more than {largest} bytes");
            }

            return content.ToArray();
        }
    }
}
