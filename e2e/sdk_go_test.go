package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// playGo plays scenes with the official client for Go.
func playGo(t *testing.T, address, certificates string, scenes []*scene) []*sighting {
	t.Helper()
	client := newClient(t, "HTTP/2.0", certificatesIn(t, certificates))
	seen := make([]*sighting, len(scenes))
	limit := make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, sc := range scenes {
		all.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			seen[i] = &sighting{Name: sc.Name}
			c := openai.NewClient(option.WithBaseURL(address), option.WithAPIKey(clientKey), option.WithHTTPClient(client), option.WithMaxRetries(sc.Retries))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := playGoScene(ctx, &c, sc, seen[i]); err != nil {
				seen[i].Error = sightGoError(err)
			}
		})
	}
	all.Wait()
	return seen
}

// playGoScene plays one scene. Its body goes through the client's own types.
func playGoScene(ctx context.Context, c *openai.Client, sc *scene, seen *sighting) error {
	body, err := json.Marshal(sc.Body)
	if err != nil {
		return err
	}
	switch sc.Call {
	case "chat", "gathered":
		var params openai.ChatCompletionNewParams
		if err := json.Unmarshal(body, &params); err != nil {
			return err
		}
		return chatWithGo(ctx, c, sc, params, seen)
	case "models":
		pages := c.Models.ListAutoPaging(ctx)
		for pages.Next() {
			seen.Models = append(seen.Models, pages.Current().ID)
		}
		return pages.Err()
	case "model":
		m, err := c.Models.Get(ctx, fmt.Sprint(sc.Body["model"]))
		if err != nil {
			return err
		}
		seen.Models = append(seen.Models, m.ID)
		return nil
	case "embedding":
		var params openai.EmbeddingNewParams
		if err := json.Unmarshal(body, &params); err != nil {
			return err
		}
		e, err := c.Embeddings.New(ctx, params)
		if err != nil {
			return err
		}
		seen.Vector = e.Data[0].Embedding
		return nil
	}
	return fmt.Errorf("no such call: %s", sc.Call)
}

func chatWithGo(ctx context.Context, c *openai.Client, sc *scene, params openai.ChatCompletionNewParams, seen *sighting) error {
	if sc.Call == "chat" && !sc.Stream {
		answer, err := c.Chat.Completions.New(ctx, params)
		if err != nil {
			return err
		}
		sightGoCompletion(answer, seen)
		return nil
	}
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.Chat.Completions.NewStreaming(ctx, params)
	defer stream.Close()
	var gathered openai.ChatCompletionAccumulator
	for stream.Next() {
		chunk := stream.Current()
		seen.Chunks++
		if sc.Call == "gathered" {
			if !gathered.AddChunk(chunk) {
				return fmt.Errorf("the client does not take a chunk: %s", chunk.RawJSON())
			}
			continue
		}
		for _, choice := range chunk.Choices {
			sightGoDelta(seen, choice)
		}
		if chunk.JSON.Usage.Valid() {
			sightGoUsage(&chunk.Usage, seen)
		}
	}
	if sc.Call == "gathered" {
		sightGoCompletion(&gathered.ChatCompletion, seen)
	}
	return stream.Err()
}

// choice returns a choice, made if need be.
func (s *sighting) choice(index int64) *sightedChoice {
	for int64(len(s.Choices)) <= index {
		s.Choices = append(s.Choices, sightedChoice{})
	}
	return &s.Choices[index]
}

// extension returns a member that the client has no type for.
func extension(raw string, names ...string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &members) != nil {
		return ""
	}
	for _, n := range names {
		var text string
		if json.Unmarshal(members[n], &text) == nil && text != "" {
			return text
		}
	}
	return ""
}

func sightGoDelta(seen *sighting, from openai.ChatCompletionChunkChoice) {
	c := seen.choice(from.Index)
	c.Text += from.Delta.Content
	c.Refusal += from.Delta.Refusal
	c.Reasoning += extension(from.Delta.RawJSON(), "reasoning_content", "reasoning")
	for _, t := range from.Delta.ToolCalls {
		for int64(len(c.Calls)) <= t.Index {
			c.Calls = append(c.Calls, sightedCall{})
		}
		into := &c.Calls[t.Index]
		if into.ID == "" {
			into.ID = t.ID
		}
		into.Name += t.Function.Name
		into.Args += t.Function.Arguments
	}
	if from.FinishReason != "" {
		c.Finish = from.FinishReason
	}
}

func sightGoCompletion(from *openai.ChatCompletion, seen *sighting) {
	for _, choice := range from.Choices {
		c := seen.choice(choice.Index)
		c.Text, c.Refusal, c.Finish = choice.Message.Content, choice.Message.Refusal, choice.FinishReason
		c.Reasoning = extension(choice.Message.RawJSON(), "reasoning_content", "reasoning")
		for _, t := range choice.Message.ToolCalls {
			c.Calls = append(c.Calls, sightedCall{t.ID, t.Function.Name, t.Function.Arguments})
		}
	}
	sightGoUsage(&from.Usage, seen)
}

func sightGoUsage(u *openai.CompletionUsage, seen *sighting) {
	if u.TotalTokens == 0 {
		return
	}
	seen.Usage = &sightedUsage{u.PromptTokens, u.CompletionTokens, u.TotalTokens}
}

func sightGoError(err error) *sightedError {
	var api *openai.Error
	if !errors.As(err, &api) {
		return &sightedError{Message: err.Error()}
	}
	return &sightedError{Status: api.StatusCode, Code: api.Code, Type: api.Type, Param: api.Param, Message: api.Message}
}
